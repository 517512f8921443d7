public import MasterKit

/// Sends an HTTP request of any method.
public struct HTTPStep: Step, SettingHints {
    /// What the step does.
    public static let summary =
        "Sends a request of any method; fails when the answer is 400 or above, or when there is none."

    /// The options of a step that sends a request.
    public static var options: StepOptions { .request }

    @Setting("The method of the request.")
    var method: Renderable<RequestMethod> = Renderable(.post)

    @SettingGroup var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}

    /// Finds settings that exclude each other.
    public func check(_ settings: SettingsCheck) {
        request.check(settings)
    }

    /// Sends the request.
    public func run(in context: StepContext) async throws -> Results {
        try await request.run(context.render(method).method, in: context)
    }

    /// What to do instead of a setting that this step has not.
    public static func hint(forUnknown name: String) -> String? {
        HTTPRequestSettings.hint(forUnknown: name)
    }
}

/// Sends a GET request.
public struct GET: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}

/// Sends a HEAD request.
public struct HEAD: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}

/// Sends a POST request.
public struct POST: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}

/// Sends a PUT request.
public struct PUT: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}

/// Sends a PATCH request.
public struct PATCH: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}

/// Sends a DELETE request.
public struct DELETE: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}

/// Sends an OPTIONS request.
public struct OPTIONS: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}

/// A step that sends a request of one method, which is the step's name.
public protocol RequestStep: Step, SettingHints {
    /// What is sent.
    var request: HTTPRequestSettings { get }
}

extension RequestStep {
    /// What the step does.
    public static var summary: String {
        let article = pluginName == "OPTIONS" ? "an" : "a"
        return "Sends \(article) \(pluginName) request; fails when the answer is 400 or above, or "
            + "when there is none."
    }

    /// The options of a step that sends a request.
    public static var options: StepOptions { .request }

    /// Finds settings that exclude each other.
    public func check(_ settings: SettingsCheck) {
        request.check(settings)
    }

    /// Sends the request.
    public func run(in context: StepContext) async throws -> Results {
        try await request.run(HTTPMethod(rawValue: Self.pluginName), in: context)
    }

    /// What to do instead of a setting that the step has not.
    public static func hint(forUnknown name: String) -> String? {
        HTTPRequestSettings.hint(forUnknown: name, of: key)
    }
}

/// The methods that HTTP steps send.
enum RequestMethod: String, SettingEnumeration {
    case post = "POST"
    case get = "GET"
    case put = "PUT"
    case delete = "DELETE"
    case head = "HEAD"
    case options = "OPTIONS"
    case patch = "PATCH"

    var method: HTTPMethod { HTTPMethod(rawValue: rawValue) }
}

extension StepOptions {
    /// The options of steps that send a request.
    static var request: StepOptions {
        var options = StepOptions()
        options.description = Renderable(Words("Requesting"))
        options.descriptionDone = Renderable(Words("Requested"))
        return options
    }
}
