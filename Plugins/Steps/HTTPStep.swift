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
