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
}

extension SecretProvider {
    /// The namespace `secrets`.
    public static var namespace: PluginNamespace { PluginKind.secrets.namespace }
}

/// A provider of secrets as master.yaml declares it.
public typealias SecretProviderDeclaration = PluginDeclaration<any SecretProvider, NoOptions>

extension PluginKind<any SecretProvider, NoOptions> {
    /// Providers of secrets.
    public static var secrets: Self { Self("secrets", scope: .service) }
}
