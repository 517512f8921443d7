public import MasterKit

/// Sends a PATCH request.
public struct PATCH: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}
