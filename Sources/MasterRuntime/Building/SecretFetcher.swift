package import MasterKit
internal import Synchronization

/// Fetches every secret that the configuration uses from the providers, and further ones that must
/// be masked.
package struct SecretFetcher: Sendable {
    /// The maximum number and total size of the masked values beyond those in use; each one has to
    /// be searched for in all output.
    private static let hiddenLimit = (count: 256, bytes: 256 << 10)

    /// The result of fetching.
    package struct Fetched: Sendable {
        /// The values.
        package var values = SecretValues()
        /// The problems found: missing secrets, values that cannot be masked, providers that
        /// failed.
        package var diagnostics: [Diagnostic] = []

        /// Whether every secret has a usable value.
        package var isComplete: Bool { !diagnostics.contains { $0.severity == .error } }

        /// Returns the values if they are complete.
        ///
        /// - Throws: ``ConfigurationError`` with all diagnostics.
        package func usable() throws(ConfigurationError) -> SecretValues {
            guard isComplete else { throw ConfigurationError(diagnostics) }
            return values
        }
    }

    private let configuration: MasterConfiguration
    private let context: SecretContext

    /// Creates a fetcher for a configuration.
    package init(_ configuration: MasterConfiguration) {
        self.configuration = configuration
        context = SecretContext(
            folder: configuration.folder, worker: LocalWorker(root: configuration.folder))
    }

    /// Starts the providers, fetches each secret once, and stops the providers.
    package func fetch() async -> Fetched {
        guard !configuration.secretProviders.isEmpty else { return Fetched() }
        let range = configuration.secretProviders.first?.range
        let warnings = Mutex<[Diagnostic]>([])
        let life = PluginLifetime { words in
            warnings.withLock { $0.append(Diagnostic(.warning, words, range: range)) }
        }
        do {
            var fetched = try await life.run(
                configuration.secretProviders.flatMap(\.instances)
            ) { await ask() }
            fetched.diagnostics += warnings.withLock(\.self)
            return fetched
        } catch {
            return Fetched(
                diagnostics: [Diagnostic(.error, "\(error)", range: range)]
                    + warnings.withLock(\.self))
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
        let stock = await stock(beside: values, &diagnostics)
        return Fetched(
            values: SecretValues(
                values, hiding: stock.hidden, withholding: stock.variables),
            diagnostics: diagnostics)
    }

    /// The providers' secrets other than the values in use.
    private func stock(
        beside values: [String: String], _ diagnostics: inout [Diagnostic]
    ) async -> (hidden: [(name: String, value: String)], variables: Set<String>) {
        let used = Set(configuration.secretUses.map(\.name))
        var hidden: [(name: String, value: String)] = []
        var variables: Set<String> = []
        for provider in configuration.secretProviders {
            do {
                let inventory = try await provider.plugin.inventory(of: used, in: context)
                variables.formUnion(inventory.variables)
                hidden += inventory.values.sorted { $0.key < $1.key }.filter { name, value in
                    values[name] != value && SecretVerdict(name: name, value: value) == .good
                }.map { (name: $0.key, value: $0.value) }
            } catch  where !diagnostics.contains(where: { $0.severity == .error }) {
                let words =
                    "the other secrets of \(provider.key) could not be read, so their "
                    + "values are not masked: \(error)"
                diagnostics.append(Diagnostic(.warning, words, range: provider.range))
            } catch {
                // An error prevents the master from starting, and probably has the same cause.
            }
        }
        var room = Self.hiddenLimit.bytes
        let kept = hidden.prefix(Self.hiddenLimit.count).prefix { secret in
            room -= secret.value.utf8.count
            return room >= 0
        }
        if kept.count < hidden.count {
            let (count, bytes) = Self.hiddenLimit
            let limits = "\(count) values with \(bytes >> 10) KiB"
            diagnostics.append(
                Diagnostic(
                    .warning,
                    "the providers have \(hidden.count) secrets that the file does not use; only "
                        + "the first \(kept.count) are hidden, at most \(limits); keep the others "
                        + "elsewhere", range: configuration.secretProviders.first?.range))
        }
        return (Array(kept), variables)
    }

    /// The value from the first provider that has the secret. A provider that fails is not skipped,
    /// because the next one may have an outdated value.
    private func value(of name: String) async throws -> String? {
        for provider in configuration.secretProviders {
            if let value = try await provider.plugin.value(of: name, in: context) { return value }
        }
        return nil
    }

    /// Why a value cannot be used, or a warning about it.
    private func fault(
        of value: String?, named name: String
    ) -> (severity: Diagnostic.Severity, words: String)? {
        guard let value else {
            let providers = configuration.secretProviders.map { provider in
                let place = provider.plugin.place(ofSecret: name).map { " (\($0))" }
                return "\(provider.key)" + (place ?? "")
            }
            let names = providers.joined(separator: ", ")
            return (.error, "the secret '\(name)' was not found by \(names)")
        }
        return switch SecretVerdict(name: name, value: value) {
        case .refused(let reason): (.error, reason)
        case .warning(let reason): (.warning, reason)
        case .good: nil
        }
    }
}
