import MasterKit

/// What a request carries, and what the log says of it.
struct RequestBody {
    var content: HTTPBody
    /// Titles with lines below.
    var told: [(title: String, lines: [String])] = []

    static let none = RequestBody(content: .empty)

    /// A value as JSON.
    static func json(_ value: JSONValue) -> RequestBody {
        let bytes = JSONWriter.python.bytes(value)
        let text = String(decoding: bytes, as: UTF8.self)
        return RequestBody(content: .json(bytes), told: [("JSON", [text])])
    }

    /// Fields that are form-encoded, or a text.
    static func form(_ data: FormData) -> RequestBody {
        let lines =
            switch data {
            case .fields(let fields): fields.lines
            case .text(let text): text.isEmpty ? [] : [text]
            }
        return RequestBody(content: data.body, told: [("Data", lines)])
    }

    /// A file of the worker.
    static func file(_ path: WorkerPath, in context: StepContext) async throws -> RequestBody {
        let spool = try SpooledBody()
        let count = try await context.append(path, to: spool)
        return RequestBody(
            content: .spooled(spool, contentType: nil),
            told: [("Data", ["file \(path.text) (\(count) bytes)"])])
    }

    /// Fields and files as `multipart/form-data`.
    static func multipart(
        _ fields: FieldPairs?, _ files: [UploadedFile], in context: StepContext
    ) async throws -> RequestBody {
        let spool = try SpooledBody()
        let encoding = MultipartEncoding()
        for pair in fields?.pairs ?? [] {
            let part = HTTPPart(name: pair.name, text: pair.value)
            try await spool.append(encoding.beginning(of: part) + MultipartEncoding.endOfPart)
        }
        var lines: [String] = []
        for file in files {
            try await spool.append(encoding.beginning(of: file.beginning))
            var count = file.beginning.content.count
            if case .path(let path) = file.part.source {
                count = try await context.append(path, to: spool)
            }
            try await spool.append(MultipartEncoding.endOfPart)
            lines.append("\(file.field): \(file.filename) (\(count) bytes)")
        }
        try await spool.append(encoding.end)
        return RequestBody(
            content: .spooled(spool, contentType: encoding.contentType),
            told: [("Data", fields?.lines ?? []), ("Files", lines)])
    }
}

extension FieldPairs {
    /// The pairs as the log shows them, those that are not sent at the end.
    var lines: [String] {
        pairs.map { "\($0.name): \($0.value)" } + absentNames.map { "\($0): (null, not sent)" }
    }
}

extension UploadedFile {
    /// The part with the content that is known already.
    fileprivate var beginning: HTTPPart {
        var content: [UInt8] = []
        if case .content(let text) = part.source { content = Array(text.utf8) }
        return HTTPPart(
            name: field, content: content, filename: filename, contentType: part.contentType,
            headers: part.headers)
    }
}

extension StepContext {
    /// Reads a file of the worker into a body, piece by piece.
    ///
    /// - Returns: The number of its bytes.
    fileprivate func append(_ path: WorkerPath, to spool: SpooledBody) async throws -> Int {
        let upload = Command.UploadFile(path.place(in: self))
        var count = 0
        _ = try await run(.uploadFile(upload)) { update in
            guard case .content(let bytes) = update.content else { return }
            count += bytes.count
            try await spool.append(bytes)
        }
        return count
    }
}
