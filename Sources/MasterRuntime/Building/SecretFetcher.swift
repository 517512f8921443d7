public import MasterKit

/// Asks the providers for every secret that the configuration uses.
public struct SecretFetcher: Sendable {
    /// What came of it.
    public struct Fetched: Sendable {
        /// The values.
        public var values = SecretValues()
        /// What is wrong: absent secrets, values that can't be masked, providers that fail.
        public var diagnostics: [Diagnostic] = []
    }

    private let configuration: MasterConfiguration

    /// Makes a fetcher for a configuration.
    public init(_ configuration: MasterConfiguration) {
        self.configuration = configuration
    }

    /// Starts the providers, asks for each secret once, and stops them.
    public func fetch() async -> Fetched {
        guard !configuration.secretUses.isEmpty else { return Fetched() }
        do {
            return try await PluginLife(configuration.secretProviders).run { await ask() }
        } catch {
            let range = configuration.secretProviders.first?.range
            return Fetched(diagnostics: [Diagnostic(.error, "\(error)", range: range)])
        }
    }

    private func ask() async -> Fetched {
        var fetched = Fetched()
        var values: [String: String] = [:]
        var asked: Set<String> = []
        for use in configuration.secretUses where asked.insert(use.name).inserted {
            do {
                guard let value = try await value(of: use.name) else {
                    fetched.diagnostics.append(absent(use))
                    continue
                }
                check(value, of: use, &fetched.diagnostics)
                values[use.name] = value
            } catch {
                fetched.diagnostics.append(
                    Diagnostic(
                        .error, "the secret '\(use.name)' could not be read: \(error)",
                        range: use.range))
            }
        }
        fetched.values = SecretValues(values)
        return fetched
    }

    private func value(of name: String) async throws -> String? {
        for provider in configuration.secretProviders {
            if let value = try await provider.plugin.value(of: name) { return value }
        }
        return nil
    }

    private func absent(_ use: SecretUse) -> Diagnostic {
        let providers = configuration.secretProviders.map(\.key.description)
        return Diagnostic(
            .error,
            "the secret '\(use.name)' is in none of \(providers.joined(separator: ", "))",
            range: use.range)
    }

    private func check(_ value: String, of use: SecretUse, _ diagnostics: inout [Diagnostic]) {
        switch SecretVerdict(name: use.name, value: value) {
        case .refused(let reason):
            diagnostics.append(Diagnostic(.error, reason, range: use.range))
        case .warning(let reason):
            diagnostics.append(Diagnostic(.warning, reason, range: use.range))
        case .good: break
        }
    }
}
