public import MasterKit

/// Sends a DELETE request.
public struct DELETE: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}
