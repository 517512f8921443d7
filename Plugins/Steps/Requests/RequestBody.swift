import MasterKit

/// The body of a request, and how to log it.
struct RequestBody {
    var content: HTTPBody
    /// Titled sections for the log.
    var told: [(title: String, lines: [String])] = []
    /// Whether it contains a secret, so that it must not be redirected to another host.
    var holdsSecret = false

    static let none = RequestBody(content: .empty)

    /// A JSON value.
    static func json(_ value: JSONValue, hiding mask: SecretMask) -> RequestBody {
        let bytes = JSONWriter.python.bytes(value)
        let text = String(decoding: bytes, as: UTF8.self)
        return RequestBody(
            content: .json(bytes), told: [("JSON", [text])],
            holdsSecret: mask.apply(to: bytes) != bytes)
    }

    /// Form-encoded fields, or a text.
    static func form(_ data: FormData, hiding mask: SecretMask) -> RequestBody {
        let lines =
            switch data {
            case .fields(let fields): fields.lines
            case .text(let text): text.isEmpty ? [] : [text]
            }
        return RequestBody(
            content: data.body, told: [("Data", lines)],
            holdsSecret: lines.contains { mask.apply(to: $0) != $0 })
    }

    /// A file on the worker.
    static func file(_ path: WorkerPath, in context: StepContext) async throws -> RequestBody {
        let spool = try SpooledBody()
        var search = SecretSearch(context.mask)
        let count = try await context.append(path, to: spool, &search)
        return RequestBody(
            content: .spooled(spool, contentType: nil),
            told: [("Data", ["file \(path.text) (\(count) bytes)"])],
            holdsSecret: search.hasFound())
    }

    /// Fields and files as `multipart/form-data`.
    static func multipart(
        _ fields: FieldPairs?, _ files: [UploadedFile], in context: StepContext
    ) async throws -> RequestBody {
        let spool = try SpooledBody()
        let encoding = MultipartEncoding()
        var search = SecretSearch(context.mask)
        for pair in fields?.pairs ?? [] {
            let part = HTTPPart(name: pair.name, text: pair.value)
            let bytes = try encoding.beginning(of: part) + MultipartEncoding.endOfPart
            search.look(in: bytes)
            try await spool.append(bytes)
        }
        var lines: [String] = []
        for file in files {
            let beginning = try encoding.beginning(of: file.beginning)
            search.look(in: beginning)
            try await spool.append(beginning)
            var count = file.beginning.content.count
            if case .path(let path) = file.part.source {
                count = try await context.append(path, to: spool, &search)
            }
            try await spool.append(MultipartEncoding.endOfPart)
            lines.append("\(file.field): \(file.filename) (\(count) bytes)")
        }
        try await spool.append(encoding.end)
        return RequestBody(
            content: .spooled(spool, contentType: encoding.contentType),
            told: [("Data", fields?.lines ?? []), ("Files", lines)],
            holdsSecret: search.hasFound())
    }
}

/// Searches for secrets in bytes that arrive in pieces.
private struct SecretSearch {
    private var masked: SecretMask.Stream
    /// The bytes that the mask has not returned yet.
    private var waiting: [UInt8] = []
    private var isFound = false

    init(_ mask: SecretMask) {
        masked = mask.stream()
    }

    mutating func look(in piece: [UInt8]) {
        guard !isFound else { return }
        waiting += piece
        take(masked.process(piece[...]))
    }

    mutating func hasFound() -> Bool {
        take(masked.finish())
        return isFound
    }

    /// Without secrets, the mask returns the bytes unchanged.
    private mutating func take(_ bytes: [UInt8]) {
        isFound = isFound || !waiting.starts(with: bytes)
        waiting.removeFirst(min(bytes.count, waiting.count))
    }
}

extension FieldPairs {
    /// The pairs as logged, followed by those that are not sent.
    var lines: [String] {
        pairs.map { "\($0.name): \($0.value)" } + absentNames.map { "\($0): (null, not sent)" }
    }
}

extension UploadedFile {
    /// The part, with its content if already known.
    fileprivate var beginning: HTTPPart {
        var content: [UInt8] = []
        if case .content(let text) = part.source { content = Array(text.utf8) }
        return HTTPPart(
            name: field, content: content, filename: filename, contentType: part.contentType,
            headers: part.headers)
    }
}

extension StepContext {
    /// Reads a file from the worker into a body, piece by piece.
    ///
    /// - Returns: The number of bytes.
    fileprivate func append(
        _ path: WorkerPath, to spool: SpooledBody, _ search: inout SecretSearch
    ) async throws -> Int {
        let upload = Command.UploadFile(path.place(in: self))
        var count = 0
        _ = try await run(.uploadFile(upload)) { update in
            guard case .content(let bytes) = update.content else { return }
            count += bytes.count
            search.look(in: bytes)
            try await spool.append(bytes)
        }
        return count
    }
}

/// The setting `data`: fields to form-encode, a text, or a file on the worker.
struct RequestData: SettingValue, RenderableValue {
    /// The setting as written, to be rendered in a build.
    enum Form: Sendable {
        case data(Renderable<FormData?>)
        case file(Renderable<WorkerPath>)
    }

    let form: Form

    static var shape: String { "\(FormData.shape), or !File path" }

    static var form: ValueForm { .computed(.optional(FormData.form)) }

    static var absent: RequestData? { RequestData(form: .data(Renderable(nil))) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RequestData? {
        guard let path = node.workerFilePath(decoder) else {
            return decoder.decode(Renderable<FormData?>.self, from: node).map {
                RequestData(form: .data($0))
            }
        }
        guard let path else { return nil }
        return decoder.decode(Renderable<WorkerPath>.self, from: path).map {
            RequestData(form: .file($0))
        }
    }

    /// Whether it is known not to be named fields, which could be combined with files.
    var isNameless: Bool {
        switch form {
        case .data(let data): if case .text?? = data.constant { true } else { false }
        case .file: true
        }
    }

    /// Whether it is known to be null.
    var isNull: Bool {
        guard case .data(let data) = form, let constant = data.constant else { return false }
        return constant == nil
    }
}
