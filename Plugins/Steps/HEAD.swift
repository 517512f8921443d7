public import MasterKit

/// Sends a HEAD request.
public struct HEAD: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}
