public import MasterKit

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
