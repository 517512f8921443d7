/// A plugin that knows the values of secrets.
///
/// Providers are asked in the order of master.yaml, before the first build; the first that knows
/// a name gives its value.
public protocol SecretProvider: Plugin {
    /// The value of a secret, `nil` when this provider does not know it.
    ///
    /// - Throws: An error with a sentence for people when the provider itself fails.
    func value(of name: String) async throws -> String?
}

extension SecretProvider {
    /// The namespace `secrets`.
    public static var namespace: PluginNamespace { .secrets }
}
