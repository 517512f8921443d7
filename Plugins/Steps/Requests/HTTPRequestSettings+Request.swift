import MasterKit

extension HTTPRequestSettings {
    /// The most bytes of a file that a request carries.
    private static let fileLimit = 64 << 20

    /// Renders the settings but the address to a request.
    func request(
        _ method: HTTPMethod, to address: String, in context: StepContext
    ) async throws -> HTTPRequest {
        var request = HTTPRequest(method, address)
        request.query = try context.render(params)?.pairs ?? []
        request.body = try await body(in: context)
        request.cookies = try context.render(cookies)?.pairs ?? []
        request.authentication = try context.render(auth)?.authentication
        request.proxies = try context.render(proxies)?.proxies
        let redirectLimit = try context.render(maxRedirects).count
        request.redirects =
            try context.render(allowRedirects) ? .follow(limit: redirectLimit) : .none
        if let maxSize = try context.render(maxSize) { request.responseLimit = maxSize.bytes }
        request.tls = HTTPTLS(try context.render(verify), try context.render(cert))
        if let fields = try context.render(headers) {
            request.headers = fields.headers
            request.suppressedHeaders = fields.removed
            request.sensitiveHeaders = try context.render(SecretHeaders.names(in: fields.headers))
        }
        if let limits = try context.render(timeout) {
            let standard = HTTPTimeout()
            request.timeout = HTTPTimeout(
                connect: limits.connect ?? standard.connect,
                silence: limits.read ?? standard.silence)
        }
        return request
    }

    private func body(in context: StepContext) async throws -> HTTPBody {
        let data = try context.render(data)
        let files = try context.render(files)?.files
        if let json = try context.render(json) {
            if data != nil { throw RequestConflict.jsonAndData }
            if files != nil { throw RequestConflict.jsonAndFiles }
            return .json(JSONWriter.python.bytes(json))
        }
        guard let files, !files.isEmpty else { return data?.body ?? .empty }
        var parts: [HTTPPart] = []
        switch data {
        case .fields(let fields):
            parts = fields.pairs.map { HTTPPart(name: $0.name, text: $0.value) }
        case .text: throw RequestConflict.textAndFiles
        case nil: break
        }
        for file in files { parts.append(try await part(of: file, in: context)) }
        return .multipart(parts)
    }

    private func part(of file: UploadedFile, in context: StepContext) async throws -> HTTPPart {
        let content =
            switch file.part.source {
            case .content(let text): Array(text.utf8)
            case .path(let path): try await read(path, in: context)
            }
        return HTTPPart(
            name: file.field, content: content, filename: file.filename,
            contentType: file.part.contentType, headers: file.part.headers)
    }

    /// Reads a file on the worker.
    private func read(_ path: String, in context: StepContext) async throws -> [UInt8] {
        let absolute = path.hasPrefix("/") ? path : "\(context.workdir)/\(path)"
        let upload = Command.UploadFile(absolute, maxByteCount: Self.fileLimit)
        var content: [UInt8] = []
        _ = try await context.run(.uploadFile(upload)) { update in
            if case .content(let bytes) = update.content { content += bytes }
        }
        return content
    }
}

/// Finds the headers that have a secret in them, so that no redirect carries them elsewhere.
private struct SecretHeaders: Expression {
    let headers: HTTPHeaders

    static func names(in headers: HTTPHeaders) -> Renderable<[String]> {
        Renderable(SecretHeaders(headers: headers))
    }

    func evaluate(in context: RenderContext) -> JSONValue {
        let mask = context.secrets.mask
        let secret = headers.filter { mask.apply(to: $0.value) != $0.value }
        return .array(secret.map { .string($0.name) })
    }
}
