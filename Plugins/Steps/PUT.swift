public import MasterKit

/// Sends a PUT request.
public struct PUT: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}
