import FoundationEssentials
public import MasterKit

/// Reads secrets from the environment of the master.
public struct EnvironmentSecrets: SecretProvider {
    /// The name in master.yaml.
    public static let pluginName = "Environment"

    /// What the provider does.
    public static let summary = "Reads secrets from environment variables."

    @Setting("The prefix of the variables: a secret NAME is the variable PREFIXNAME.")
    var prefix = ""

    /// Creates an unconfigured provider.
    public init() {}

    /// The value of the variable, or `nil` if it is empty.
    public func value(of name: String, in context: SecretContext) async throws -> String? {
        let value = ProcessInfo.processInfo.environment[prefix + name]
        return value?.isEmpty == false ? value : nil
    }

    /// All variables with the prefix; without a prefix, only those of used secrets.
    public func inventory(
        of used: Set<String>, in context: SecretContext
    ) async throws -> SecretInventory {
        var inventory = SecretInventory()
        for (variable, value) in ProcessInfo.processInfo.environment {
            guard variable.hasPrefix(prefix) else { continue }
            let name = String(variable.dropFirst(prefix.count))
            guard !prefix.isEmpty || used.contains(name) else { continue }
            inventory.variables.insert(variable)
            if !name.isEmpty, !value.isEmpty { inventory.values[name] = value }
        }
        return inventory
    }

    /// The variable, and one whose name differs only in case.
    public func place(ofSecret name: String) -> String? {
        let variable = prefix + name
        let other = ProcessInfo.processInfo.environment.keys.sorted().first {
            $0 != variable && $0.lowercased() == variable.lowercased()
        }
        return "variable \(variable)" + (other.map { "; there is \($0)" } ?? "")
    }

    /// The name without the prefix.
    public func secret(inEnvironmentVariable name: String) -> String? {
        guard name.hasPrefix(prefix), name.count > prefix.count else { return nil }
        return String(name.dropFirst(prefix.count))
    }
}
