/// A plugin that knows the values of secrets.
///
/// Providers are asked in the order of master.yaml, before the first build; the first that knows
/// a name gives its value. A provider that fails ends the asking: what another one has under the
/// name need not be the same.
public protocol SecretProvider: Plugin {
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
}

extension SecretProvider {
    /// The namespace `secrets`.
    public static var namespace: PluginNamespace { .secrets }

    /// None, for providers that take nothing from the environment.
    public func secret(inEnvironmentVariable name: String) -> String? { nil }
}
