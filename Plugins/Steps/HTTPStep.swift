public import MasterKit

/// Sends an HTTP request with any method.
public struct HTTPStep: Step {
    /// What the step does.
    public static let summary =
        "Sends a request of any method; fails if the status is 400 or above, or there is no answer."

    /// The options of steps that send a request.
    public static var options: StepOptions { .request }

    @Setting("The method of the request.")
    var method: Renderable<RequestMethod> = Renderable(.post)

    @SettingGroup var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { request.products }

    /// Sends the request.
    public func run(in context: StepContext) async throws -> Results {
        try await request.run(context.render(method).method, in: context)
    }
}

/// Sends a GET request.
public struct GET: RequestStep {
    /// The request to send.
    @SettingGroup public var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}
}

/// Sends a HEAD request.
public struct HEAD: RequestStep {
    /// The request to send.
    @SettingGroup public var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}
}

/// Sends a POST request.
public struct POST: RequestStep {
    /// The request to send.
    @SettingGroup public var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}
}

/// Sends a PUT request.
public struct PUT: RequestStep {
    /// The request to send.
    @SettingGroup public var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}
}

/// Sends a PATCH request.
public struct PATCH: RequestStep {
    /// The request to send.
    @SettingGroup public var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}
}

/// Sends a DELETE request.
public struct DELETE: RequestStep {
    /// The request to send.
    @SettingGroup public var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}
}

/// Sends an OPTIONS request.
public struct OPTIONS: RequestStep {
    /// The request to send.
    @SettingGroup public var request: HTTPRequestSettings

    /// Creates an unconfigured step.
    public init() {}
}

/// A step that sends a request with the method in its name.
public protocol RequestStep: Step, SettingHints {
    /// The request to send.
    var request: HTTPRequestSettings { get }
}

extension RequestStep {
    /// What the step does.
    public static var summary: String {
        let article = pluginName == "OPTIONS" ? "an" : "a"
        return "Sends \(article) \(pluginName) request; fails if the status is 400 or above, or "
            + "there is no answer."
    }

    /// The options of steps that send a request.
    public static var options: StepOptions { .request }

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { request.products }

    /// Sends the request.
    public func run(in context: StepContext) async throws -> Results {
        try await request.run(HTTPMethod(rawValue: Self.pluginName), in: context)
    }

    /// A hint for a setting that the step does not have.
    public static func hint(forUnknown name: String) -> String? {
        name == "method" ? "it always sends \(pluginName); steps.HTTPStep takes a method" : nil
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
