public import MasterKit

/// The settings shared by all HTTP steps: the keywords of Python's `requests`.
public struct HTTPRequestSettings: SettingHints {
    @Setting("The address of the request.", .primary)
    var url: Renderable<HTTPAddress>

    @Setting("Parameters appended to the query of the address.")
    var params: Renderable<FieldPairs?>

    @Setting("The body: form fields, a text, or a file of the worker.")
    var data: RequestData

    @Setting("The body, sent as JSON.")
    var json: Renderable<JSONValue?>

    @Setting("Headers; null removes one that is sent by default.")
    var headers: Renderable<HeaderFields?>

    @Setting("Cookies, beside those that the build has received.")
    var cookies: Renderable<RequestCookies?>

    @Setting("Files, sent as multipart form data together with the fields of 'data'.")
    var files: RequestFiles

    @Setting("Credentials for the request.", .secret)
    var auth: Renderable<HTTPAuth?>

    @Setting("How long to wait to connect and for the next byte; by default 10 s and 60 s.")
    var timeout: Renderable<TimeLimits?>

    @Setting("Whether redirects are followed.", .named("allow_redirects"))
    var allowRedirects = Renderable(true)

    @Setting("The maximum number of redirects.", .named("max_redirects"))
    var maxRedirects = Renderable(RedirectLimit(count: 30))

    @Setting("Proxies by scheme or host; by default those of the environment.")
    var proxies: Renderable<ProxyMap?>

    @Setting("Stream the answer into the log instead of keeping it.")
    var stream = Renderable(false)

    @Setting("Whether, or against which authorities, the server's certificate is checked.")
    var verify: Renderable<CertificateCheck?>

    @Setting("The client's certificate.")
    var cert: Renderable<ClientCertificate?>

    @Setting("Which answers are a success; by default those with a status below 400.")
    var success: Renderable<SuccessRule?>

    @Setting("How often the request is sent, and after what it is sent again.", .replacesOption)
    var retry: Renderable<RetryPolicy?>

    @Setting("Properties that are taken from the answer.")
    var extract: Renderable<Extraction?>

    @Setting(
        "The largest answer; by default 64 MiB, and no limit with 'stream'.", .named("max_size"))
    var maxSize: Renderable<ByteCount?>

    @Setting("Request headers whose values are hidden in the log.", .named("hide_request_headers"))
    var hideRequestHeaders: Renderable<[String]> = Renderable([])

    @Setting(
        "Response headers whose values are hidden in the log.", .named("hide_response_headers"))
    var hideResponseHeaders: Renderable<[String]> = Renderable([])

    /// Creates settings with their defaults.
    public init() {}

    /// Reports conflicting settings, as far as they are known before a build.
    public func check(_ settings: SettingsCheck) {
        let hasData = settings.isGiven("data") && !data.isNull
        let hasFiles = files.uploads.mayBeGiven(in: settings, as: "files")
        if json.mayBeGiven(in: settings, as: "json") {
            if hasData { settings.error(RequestConflict.jsonAndData.message, at: "json") }
            if hasFiles { settings.error(RequestConflict.jsonAndFiles.message, at: "json") }
        }
        if case .string(let text) = json.constant ?? nil, Self.isEncoded(text) {
            settings.warning(
                "'json' is a text here, so it is sent as a JSON string, in quotes; write the value "
                    + "without quotes around it", at: "json")
        }
        if hasFiles, data.isNameless {
            settings.error(RequestConflict.namelessAndFiles.message, at: "data")
        }
        if stream.constant == true, extract.constant??.needsBody == true {
            settings.error(RequestConflict.streamAndExtract.message, at: "extract")
        }
        if stream.constant == true, success.constant??.values.isEmpty == false {
            settings.error(RequestConflict.streamAndSuccess.message, at: "success")
        }
        if retry.constant??.causes?.contains(.exception) == true {
            settings.error(
                "'on: exception' never applies to a request: its errors are a "
                    + "failure; write 'failure'", at: "retry")
        }
    }

    /// Whether a text is a JSON object or array.
    private static func isEncoded(_ text: String) -> Bool {
        guard text.hasPrefix("{") || text.hasPrefix("[") else { return false }
        switch try? JSONValue(parsing: text) {
        case .object, .array: return true
        default: return false
        }
    }

    /// The logs of a request, and the properties that are taken from its answer.
    var products: StepProducts {
        let rules = extract.constant.map { $0?.rules ?? [] }
        return StepProducts(
            logs: ["log", "content"], properties: rules?.map(\.property) ?? [],
            mayHaveOthers: rules == nil)
    }

    /// A hint for a setting that HTTP steps do not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "hooks":
            "hooks take code, which master.yaml can't hold; write a step plugin in Swift instead"
        case "body", "payload", "content": "write 'data', or 'json' for a value as JSON"
        case "form": "write 'data' with a mapping of the fields"
        case "query", "querystring": "write 'params'"
        case "retries": "write 'retry'"
        case "follow", "follow_redirects", "redirects": "write 'allow_redirects'"
        case "expect", "expected_status", "expect_status", "status", "status_code":
            "write 'success'"
        case "proxy": "write 'proxies'"
        case "connect_timeout", "read_timeout": "write 'timeout: [connect, read]'"
        case "file", "upload", "attachments": "write 'files'"
        default: RequestHints.hint(forUnknown: name)
        }
    }
}

extension Renderable where Value: SettingValue {
    /// Whether a setting is in the file and not known to be null.
    fileprivate func mayBeGiven<Wrapped>(
        in settings: SettingsCheck, as name: String
    ) -> Bool where Value == Wrapped? {
        guard settings.isGiven(name) else { return false }
        guard let constant else { return true }
        return constant != nil
    }
}

/// Two settings that cannot be combined.
enum RequestConflict: Error, CustomStringConvertible {
    case jsonAndData
    case jsonAndFiles
    case namelessAndFiles
    case streamAndExtract
    case streamAndSuccess

    var message: String {
        switch self {
        case .jsonAndData: "'json' and 'data' are both a body; keep one"
        case .jsonAndFiles:
            "'json' and 'files' are both a body; send the value as a field of 'data' instead"
        case .namelessAndFiles:
            "'data' beside 'files' must be a mapping or a list of pairs; a text or file has no "
                + "field name there"
        case .streamAndExtract:
            "a streamed body is not kept, so 'extract' can't find JSON in it or hide a secret "
                + "before it is written; remove 'stream'"
        case .streamAndSuccess:
            "a streamed body is not kept, so 'success' can't find JSON in it; remove 'stream'"
        }
    }

    var description: String { message }
}

extension HTTPRequestSettings {
    /// Renders the settings other than URL and body to a request.
    func request(
        _ method: HTTPMethod, to address: HTTPAddress, in context: StepContext
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

    /// Renders the body; files of the worker are first copied to a temporary file.
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

    /// The rendered value of `data`.
    private enum BodyData {
        case form(FormData)
        case file(WorkerPath)
    }
}

extension SecretMask {
    /// Whether a text contains a secret.
    fileprivate func hides(_ text: String) -> Bool { apply(to: text) != text }
}
