/// A plugin that knows the values of secrets.
///
/// Providers are asked in the order of master.yaml, before the first build; the first that knows
/// a name gives its value. A provider that fails ends the asking: what another one has under the
/// name need not be the same.
public protocol SecretProvider: Plugin where Options == NoOptions {
    /// The value of a secret.
    ///
    /// - Parameters:
    ///   - name: The name of the secret, any text that master.yaml has.
    ///   - context: What the provider sees of the world.
    /// - Returns: The value, `nil` when this provider does not know the name.
    /// - Throws: An error with a sentence for people when the provider itself fails.
    func value(of name: String, in context: SecretContext) async throws -> String?

    /// The name of the secret whose value an environment variable has, `nil` when this provider does
    /// not look for it there.
    func secret(inEnvironmentVariable name: String) -> String?

    /// What the provider has beside the secrets it is asked for, to be kept out of sight.
    ///
    /// Called once, after all values were asked for; by default it has nothing.
    ///
    /// - Parameters:
    ///   - used: The names of the secrets that master.yaml uses.
    ///   - context: What the provider sees of the world.
    /// - Returns: Secrets that commands could come across, used or not.
    /// - Throws: An error with a sentence for people when the provider itself fails.
    func inventory(
        of used: Set<String>, in context: SecretContext
    ) async throws -> SecretInventory
}

/// The secrets of a provider that commands could come across.
public struct SecretInventory: Sendable {
    /// Values by their names; they are replaced in all output.
    public var values: [String: String]
    /// Variables of the master's environment that hold them; commands do not get these.
    public var variables: Set<String>

    /// Makes an inventory, by default an empty one.
    public init(values: [String: String] = [:], variables: Set<String> = []) {
        self.values = values
        self.variables = variables
    }
}

extension SecretProvider {
    /// Nothing.
    public func inventory(
        of used: Set<String>, in context: SecretContext
    ) async throws -> SecretInventory {
        SecretInventory()
    }

    /// The namespace `secrets`.
    public static var namespace: PluginNamespace { PluginKind.secrets.namespace }

    /// None, for providers that take nothing from the environment.
    public func secret(inEnvironmentVariable name: String) -> String? { nil }
}

/// A provider of secrets as master.yaml declares it.
public typealias SecretProviderDeclaration = PluginDeclaration<any SecretProvider, NoOptions>

extension PluginKind<any SecretProvider, NoOptions> {
    /// Providers of secrets.
    public static var secrets: Self { Self("secrets", scope: .service) }
}
