public import MasterKit

/// Asks the providers for every secret that the configuration uses.
public struct SecretFetcher: Sendable {
    /// What came of it.
    public struct Fetched: Sendable {
        /// The values.
        public var values = SecretValues()
        /// What is wrong: absent secrets, values that can't be masked, providers that fail.
        public var diagnostics: [Diagnostic] = []

        /// Whether every secret has a value that can be used.
        public var isComplete: Bool { !diagnostics.contains { $0.severity == .error } }

        /// The values, when they are complete.
        ///
        /// - Throws: ``ConfigurationError`` with everything that is wrong.
        public func usable() throws(ConfigurationError) -> SecretValues {
            guard isComplete else { throw ConfigurationError(diagnostics) }
            return values
        }
    }

    private let configuration: MasterConfiguration
    private let context: SecretContext

    /// Makes a fetcher for a configuration.
    public init(_ configuration: MasterConfiguration) {
        self.configuration = configuration
        context = SecretContext(
            folder: configuration.folder, worker: LocalWorker(root: configuration.folder))
    }

    /// Starts the providers, asks for each secret once, and stops them.
    public func fetch() async -> Fetched {
        guard !configuration.secretUses.isEmpty else { return Fetched() }
        do {
            return try await PluginLife(configuration.secretProviders.flatMap(\.instances))
                .run { await ask() }
        } catch {
            let range = configuration.secretProviders.first?.range
            return Fetched(diagnostics: [Diagnostic(.error, "\(error)", range: range)])
        }
    }

    private func ask() async -> Fetched {
        var values: [String: String] = [:]
        var diagnostics: [Diagnostic] = []
        var asked: Set<String> = []
        for use in configuration.secretUses where asked.insert(use.name).inserted {
            do {
                let value = try await value(of: use.name)
                let fault = fault(of: value, named: use.name)
                if fault?.severity != .error { values[use.name] = value }
                if let fault {
                    diagnostics.append(Diagnostic(fault.severity, fault.words, range: use.range))
                }
            } catch {
                let words = SecretValues(values).mask.apply(
                    to: "the secret '\(use.name)' could not be read: \(error)")
                diagnostics.append(Diagnostic(.error, words, range: use.range))
            }
        }
        return Fetched(values: SecretValues(values), diagnostics: diagnostics)
    }

    /// The value that the first provider gives which knows the name; one that fails is not passed
    /// over, since another one may have an old value.
    private func value(of name: String) async throws -> String? {
        for provider in configuration.secretProviders {
            if let value = try await provider.plugin.value(of: name, in: context) { return value }
        }
        return nil
    }

    /// Why a value can't be used, or what is to be known of it.
    private func fault(
        of value: String?, named name: String
    ) -> (severity: Diagnostic.Severity, words: String)? {
        guard let value else {
            let providers = configuration.secretProviders.map(\.key.description)
            let names = providers.joined(separator: ", ")
            return (.error, "the secret '\(name)' is in none of \(names)")
        }
        return switch SecretVerdict(name: name, value: value) {
        case .refused(let reason): (.error, reason)
        case .warning(let reason): (.warning, reason)
        case .good: nil
        }
    }
}
