public import MasterKit

/// Sends a PUT request.
public struct PUT: Step, SettingHints {
    /// What the step does.
    public static let summary =
        "Sends a PUT request; fails when the answer is 400 or above, or when there is none."

    /// The options of a step that sends a request.
    public static var options: StepOptions { .request }

    @SettingGroup var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}

    /// Finds settings that exclude each other.
    public func check(_ settings: SettingsCheck) {
        request.check(settings)
    }

    /// Sends the request.
    public func run(in context: StepContext) async throws -> Results {
        try await request.run(.put, in: context)
    }

    /// What to do instead of a setting that this step has not.
    public static func hint(forUnknown name: String) -> String? {
        HTTPRequestSettings.hint(forUnknown: name, of: key)
    }
}
