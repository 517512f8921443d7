import FoundationEssentials
public import MasterKit

/// Takes secrets from the environment of the master.
public struct EnvironmentSecrets: SecretProvider {
    /// The name in master.yaml.
    public static let pluginName = "Environment"

    /// What the provider does.
    public static let summary = "Takes secrets from environment variables."

    @Setting("Stands before the name of a secret in the name of its variable.")
    var prefix = ""

    /// Makes a provider to be configured.
    public init() {}

    /// The value of the variable; one that is empty holds no secret.
    public func value(
        of name: String, in context: SecretContext
    ) async throws -> String? {
        let value = ProcessInfo.processInfo.environment[prefix + name]
        return value?.isEmpty == false ? value : nil
    }

    /// The name without the prefix.
    public func secret(inEnvironmentVariable name: String) -> String? {
        guard name.hasPrefix(prefix), name.count > prefix.count else { return nil }
        return String(name.dropFirst(prefix.count))
    }
}
