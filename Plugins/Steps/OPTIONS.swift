public import MasterKit

/// Sends an OPTIONS request.
public struct OPTIONS: RequestStep {
    /// What is sent.
    @SettingGroup public var request: HTTPRequestSettings

    /// Makes a step to be configured.
    public init() {}
}
