public import MasterKit

/// The settings that all HTTP steps share: the keywords of Python's `requests`.
public struct HTTPRequestSettings: Settings {
    @Setting("The address to ask.", .primary)
    var url: Renderable<HTTPAddress>

    @Setting("Parameters appended to the query of the address.")
    var params: Renderable<FieldPairs?>

    @Setting("What is sent: fields to be form-encoded, a text, or a file of the worker.")
    var data: RequestData

    @Setting("What is sent as JSON.")
    var json: Renderable<JSONValue?>

    @Setting("Headers; null removes one that is sent by default.")
    var headers: Renderable<HeaderFields?>

    @Setting("Cookies, beside those that the build has received.")
    var cookies: Renderable<RequestCookies?>

    @Setting("Files, sent as multipart form data together with the fields of 'data'.")
    var files: RequestFiles

    @Setting("How the sender is proved.", .secret)
    var auth: Renderable<HTTPAuth?>

    @Setting("How long to wait to connect and for the next byte; by default 10 s and 60 s.")
    var timeout: Renderable<TimeLimits?>

    @Setting("Whether redirects are followed.", .named("allow_redirects"))
    var allowRedirects = Renderable(true)

    @Setting("How many redirects are followed before it is an error.", .named("max_redirects"))
    var maxRedirects = Renderable(RedirectLimit(count: 30))

    @Setting("Proxies by scheme or host; by default those of the environment.")
    var proxies: Renderable<ProxyMap?>

    @Setting("Whether the answer goes into the log as it comes and is not kept.")
    var stream = Renderable(false)

    @Setting("Whether, or against which authorities, the server's certificate is checked.")
    var verify: Renderable<CertificateCheck?>

    @Setting("The client's certificate.")
    var cert: Renderable<ClientCertificate?>

    @Setting("Which statuses are a success; by default those below 400.")
    var success: Renderable<StatusSet?>

    @Setting("How often the request is sent, and after what it is sent again.")
    var retry: Renderable<RetryPolicy?>

    @Setting("Properties that are taken from the answer.")
    var extract: Renderable<Extraction?>

    @Setting(
        "The largest answer; by default 64 MiB, and no limit with 'stream'.", .named("max_size"))
    var maxSize: Renderable<ByteCount?>

    @Setting("Headers of the request whose values the log hides.", .named("hide_request_headers"))
    var hideRequestHeaders: Renderable<[String]> = Renderable([])

    @Setting("Headers of the answer whose values the log hides.", .named("hide_response_headers"))
    var hideResponseHeaders: Renderable<[String]> = Renderable([])

    /// Makes settings with their defaults.
    public init() {}

    /// Finds settings that exclude each other, as far as they are known before a build.
    public func check(_ settings: SettingsCheck) {
        let hasData = settings.isGiven("data") && !data.isNull
        let hasFiles = files.uploads.mayBeGiven(in: settings, as: "files")
        if json.mayBeGiven(in: settings, as: "json") {
            if hasData { settings.error(RequestConflict.jsonAndData.message, at: "json") }
            if hasFiles { settings.error(RequestConflict.jsonAndFiles.message, at: "json") }
        }
        if hasFiles, data.isNameless {
            settings.error(RequestConflict.namelessAndFiles.message, at: "data")
        }
        if stream.constant == true, extract.constant??.needsBody == true {
            settings.error(RequestConflict.streamAndExtract.message, at: "extract")
        }
        if retry.constant??.causes?.contains(.exception) == true {
            settings.error(
                "'on: exception' has no meaning for a request: what goes wrong with it is a "
                    + "failure; write 'failure'", at: "retry")
        }
    }

    /// What to do instead of a setting that no HTTP step has.
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "hooks":
            "hooks take code, which master.yaml has not; write a step plugin in Swift instead"
        case "body", "payload", "content": "write 'data', or 'json' for a value as JSON"
        case "query": "write 'params'"
        case "retries": "write 'retry'"
        case "follow_redirects": "write 'allow_redirects'"
        case "expected_status", "expect_status": "write 'success'"
        default: nil
        }
    }

    /// What to do instead of a setting that a step with a method of its own has not.
    static func hint(forUnknown name: String, of step: PluginKey) -> String? {
        guard name == "method" else { return hint(forUnknown: name) }
        return "it always sends \(step.name); steps.HTTPStep takes a method"
    }
}

extension Renderable {
    /// Whether a setting is in the file and is not known to be null.
    fileprivate func mayBeGiven<Wrapped>(
        in settings: SettingsCheck, as name: String
    ) -> Bool where Value == Wrapped? {
        guard settings.isGiven(name) else { return false }
        guard let constant else { return true }
        return constant != nil
    }
}

/// Two settings that can't stand together.
enum RequestConflict: Error, CustomStringConvertible {
    case jsonAndData
    case jsonAndFiles
    case namelessAndFiles
    case streamAndExtract

    var message: String {
        switch self {
        case .jsonAndData: "'json' and 'data' are both a body; keep one"
        case .jsonAndFiles:
            "'json' and 'files' are both a body; send the value as a field of 'data' instead"
        case .namelessAndFiles:
            "'data' beside 'files' must be a mapping or a list of pairs; a text or file has no "
                + "field name there"
        case .streamAndExtract:
            "a body that goes into the log as it comes is not kept, so that 'extract' finds no "
                + "JSON in it and can't hide a secret before it is written; leave out 'stream'"
        }
    }

    var description: String { message }
}
