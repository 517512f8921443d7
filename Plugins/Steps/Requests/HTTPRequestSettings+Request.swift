import MasterKit

extension HTTPRequestSettings {
    /// Renders the settings but address and body to a request.
    func request(
        _ method: HTTPMethod, to address: String, in context: StepContext
    ) throws -> HTTPRequest {
        var request = HTTPRequest(method, address)
        request.query = try context.render(params)?.pairs ?? []
        request.cookies = try context.render(cookies)?.pairs ?? []
        if case .known(let authentication)? = try context.render(auth) {
            request.authentication = authentication
        }
        request.proxies = try context.render(proxies)?.proxies
        let redirectLimit = try context.render(maxRedirects).count
        request.redirects =
            try context.render(allowRedirects) ? .follow(limit: redirectLimit) : .none
        if let maxSize = try context.render(maxSize) { request.responseLimit = maxSize.bytes }
        request.tls = HTTPTLS(try context.render(verify), try context.render(cert))
        if let fields = try context.render(headers) {
            request.headers = fields.headers
            request.suppressedHeaders = fields.removed
            let mask = context.mask
            request.sensitiveHeaders = fields.headers.filter { mask.hides($0.value) }.map(\.name)
        }
        if let limits = try context.render(timeout) {
            let standard = HTTPTimeout()
            request.timeout = HTTPTimeout(
                connect: limits.connect ?? standard.connect,
                silence: limits.read ?? standard.silence)
        }
        return request
    }

    /// Renders what is sent; a file of the worker is put into a temporary file for that.
    func body(in context: StepContext) async throws -> RequestBody {
        let uploads = try context.render(files.uploads)?.files ?? []
        let files = uploads.isEmpty ? nil : uploads
        let data =
            switch data.form {
            case .data(let data): try context.render(data).map { BodyData.form($0) }
            case .file(let path): BodyData.file(try context.render(path))
            }
        if let json = try context.render(json) {
            if data != nil { throw RequestConflict.jsonAndData }
            if files != nil { throw RequestConflict.jsonAndFiles }
            return .json(json, hiding: context.mask)
        }
        switch (data, files) {
        case (nil, nil): return .none
        case (.form(let form)?, nil): return .form(form, hiding: context.mask)
        case (.file(let path)?, nil): return try await .file(path, in: context)
        case (nil, let files?): return try await .multipart(nil, files, in: context)
        case (.form(.fields(let fields))?, let files?):
            return try await .multipart(fields, files, in: context)
        case (_?, _?): throw RequestConflict.namelessAndFiles
        }
    }

    /// What `data` is in a build.
    private enum BodyData {
        case form(FormData)
        case file(WorkerPath)
    }
}

extension SecretMask {
    /// Whether a text has a secret in it.
    fileprivate func hides(_ text: String) -> Bool { apply(to: text) != text }
}
