public import MasterKit
import Synchronization

/// A promise that every plugin of a kind keeps, whatever else it does.
public enum PluginPromise: String, Sendable, CaseIterable {
    // Every plugin.
    case summaryIsASentence = "its summary is one sentence"
    case settingsHaveSummaries = "every setting has a summary"
    case settingsStayTheSame = "it declares the same settings each time it is created"
    case settingNamesAreUnique = "no two settings share a name, also with common options"
    case starts = "it starts with valid settings"
    case stopsAnyTime = "it can be stopped twice, and if it has not started"

    // Steps, reporters and services.
    case doesItsWork = "it does its work with these settings"
    case endsWhenCancelled = "it ends soon after it is cancelled"
    case hidesSecrets = "secrets in its settings never show, not even in part"

    // Steps.
    case runsTwiceAtOnce = "two runs at the same time have the same outcome"
    case leavesNoCommand = "no command runs on after the step has ended"
    case failsWithItsMachine = "it does not succeed on a machine that fails"

    // Reporters.
    case retriesFailures = "a delivery that failed is retried"
    case throwsWhenRejected = "an answer of 4xx is an error"
    case waitsAsAsked = "it asks for the wait in 'Retry-After'"
    case repeatsTheRequest = "the same report is the same request"
    case sendsTheDeliveryID = "'webhook-id' is the id of the delivery"

    // Generators.
    case neverThrows = "it reports every sample event without an error"
    case repeatsTheReport = "the same event gives the same report"
    case usesWantedEvents = "it reports every kind of event that it wants"
    case heedsFilters = "a filter that matches nothing admits nothing"

    // Services.
    case endsWithItsEvents = "it ends soon after its events have ended"
    case survivesFailedSubmits = "it ends although its builds can't be submitted"
    case continuesAfterRestart = "after a restart it continues from its state"

    // Schedulers.
    case repeatsRefusedBuilds = "a build that can't be submitted is submitted after a restart"

    // Change sources.
    case repeatsRefusedChanges = "a change that can't be stored is added after a restart"

    // Providers of secrets.
    case knowsItsSecret = "it knows the secret, with the same value each time"
    case deniesUnknownSecrets = "it has no value for a secret that it does not know"
}

/// A promise that a plugin breaks.
public struct BrokenPromise: Sendable, Hashable, CustomStringConvertible {
    /// The promise.
    public let promise: PluginPromise
    /// What happened instead.
    public let finding: String

    /// The promise, and what happened instead.
    public var description: String { "\(promise.rawValue): \(finding)" }
}

/// All promises that a plugin breaks.
public struct BrokenPromises: Error, CustomStringConvertible {
    /// The plugin.
    public let key: PluginKey
    /// The promises, in the order of ``PluginPromise``.
    public let promises: [BrokenPromise]

    /// The promises, a line for each.
    public var description: String {
        (["\(key) breaks what plugins promise:"] + promises.map { "- \($0)" })
            .joined(separator: "\n")
    }
}

/// The promises of a kind of plugin, checked on one plugin with its settings.
public protocol Contract: Sendable {
    /// The plugin.
    associatedtype P: Plugin

    /// Checks every promise.
    ///
    /// - Returns: The broken ones, in the order of ``PluginPromise``.
    /// - Throws: `ConfigurationError` if the settings are wrong, or an error of the harness.
    func brokenPromises() async throws -> [BrokenPromise]
}

extension Contract {
    /// Checks every promise.
    ///
    /// - Parameter exceptions: Promises that this plugin has a reason to break.
    /// - Throws: ``BrokenPromises`` with all others that it breaks; `ConfigurationError` if the
    ///   settings are wrong.
    public func verify(except exceptions: Set<PluginPromise> = []) async throws {
        let broken = try await brokenPromises().filter { !exceptions.contains($0.promise) }
        guard broken.isEmpty else { throw BrokenPromises(key: P.key, promises: broken) }
    }
}

/// The promises of plugins of any kind, such as formatters, factories or kinds of one's own.
///
/// ```swift
/// try await PluginContract(StepTimes.self, ["atLeast": 1]).verify()
/// ```
public struct PluginContract<P: Plugin>: Contract {
    private let subject: ContractSubject<P>

    /// Creates a contract.
    ///
    /// - Parameters:
    ///   - type: The plugin.
    ///   - settings: Its settings.
    ///   - plugins: The plugins that the settings name.
    public init(
        _ type: P.Type, _ settings: SettingLiteral = [:], plugins: [PluginBundle] = []
    ) {
        subject = ContractSubject(settings, plugins: plugins, scope: .service)
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        if subject.checkDeclarations(findings) {
            try await subject.withPlugin(findings) { _, _ in }
        }
        return findings.sorted
    }
}

/// What has been found so far.
final class Findings: Sendable {
    private let state = Mutex<[PluginPromise: String]>([:])

    /// Records that a promise is broken, unless this is known.
    func add(_ promise: PluginPromise, _ finding: String) {
        state.withLock { $0[promise] = $0[promise] ?? finding }
    }

    /// The broken promises in the order of their declaration.
    var sorted: [BrokenPromise] {
        let found = state.withLock(\.self)
        return PluginPromise.allCases.compactMap { promise in
            found[promise].map { BrokenPromise(promise: promise, finding: $0) }
        }
    }
}

/// A plugin with its settings, and the checks that are the same for every kind.
struct ContractSubject<P: Plugin>: Sendable {
    let settings: SettingLiteral
    let plugins: [PluginBundle]
    let scope: RenderScope
    let limit: Duration

    init(
        _ settings: SettingLiteral, plugins: [PluginBundle], scope: RenderScope,
        limit: Duration = .seconds(20)
    ) {
        self.settings = settings
        self.plugins = plugins
        self.scope = scope
        self.limit = limit
    }

    /// Configures the plugin, and returns it with the names of the secrets in its settings.
    func configured(
        _ settings: SettingLiteral? = nil
    ) throws -> (plugin: P, secrets: Set<String>) {
        try P.readingSecrets(
            of: (settings ?? self.settings).node, registry: try Registry(plugins), scope: scope)
    }

    /// The settings with one more, or replaced; `nil` if a single value sets none of them.
    func settings(with name: String, _ value: SettingLiteral) -> SettingLiteral? {
        var entries: [YAMLMapping.Entry]
        if let mapping = settings.node.mapping {
            entries = mapping.entries.filter { $0.key.scalarText != name }
        } else {
            guard let primary = P.declarations.first(where: \.isPrimary) else { return nil }
            entries = [.init(key: YAMLNode(primary.name), value: settings.node)]
        }
        entries.append(.init(key: YAMLNode(name), value: value.node))
        return SettingLiteral(YAMLNode(YAMLMapping(entries)))
    }

    /// Checks what the plugin declares.
    ///
    /// - Returns: Whether it can be configured.
    func checkDeclarations(_ findings: Findings) -> Bool {
        let summary = P.summary
        if summary.isEmpty || !summary.hasSuffix(".") || summary.contains(where: \.isNewline) {
            findings.add(
                .summaryIsASentence, "'\(summary)' is not a line that ends with a full stop")
        }
        let (declared, again) = (P.declarations, P.declarations)
        for setting in declared where setting.summary.allSatisfy(\.isWhitespace) {
            findings.add(.settingsHaveSummaries, "'\(setting.name)' has none")
        }
        let (one, two) = (declared.map(\.shown), again.map(\.shown))
        if one != two {
            let changed = Set(one).symmetricDifference(two).sorted()
            findings.add(
                .settingsStayTheSame, "these differ: \(changed.joined(separator: "; "))")
            return false
        }
        return checkNames(declared, findings)
    }

    private func checkNames(_ declared: [SettingDeclaration], _ findings: Findings) -> Bool {
        var seen: Set<String> = []
        var isUsable = true
        for name in declared.flatMap({ [$0.name] + $0.aliases }) where !seen.insert(name).inserted {
            findings.add(.settingNamesAreUnique, "'\(name)' is declared twice")
            isUsable = false
        }
        let common = Set(P.Options.declarations.flatMap { [$0.name] + $0.aliases })
        for setting in declared where !setting.replacesOption {
            for name in [setting.name] + setting.aliases where common.contains(name) {
                findings.add(
                    .settingNamesAreUnique,
                    "'\(name)' is also an option of all \(P.namespace.rawValue); rename it, or "
                        + "declare it with .replacesOption")
            }
        }
        return isUsable
    }

    /// Runs a closure with the started plugin, and checks its life.
    func withPlugin(
        _ findings: Findings,
        _ body: (_ plugin: P, _ secrets: Set<String>) async throws -> Void
    ) async throws {
        let unused = try configured().plugin
        await checkStops(unused, findings, "without a start")
        let (plugin, secrets) = try configured()
        switch await Limited.run(within: limit, { try await plugin.start() }) {
        case .success?: try await body(plugin, secrets)
        case .failure(let error)?: findings.add(.starts, "\(error)")
        case nil: findings.add(.starts, "it was not ready after \(limit.inSeconds)")
        }
        await checkStops(plugin, findings, "after its use")
    }

    private func checkStops(_ plugin: P, _ findings: Findings, _ when: String) async {
        for number in ["first", "second"] {
            guard await Limited.run(within: limit, { await plugin.stop() }) == nil else { continue }
            findings.add(
                .stopsAnyTime, "the \(number) stop \(when) took more than \(limit.inSeconds)")
            return
        }
    }
}

extension SettingDeclaration {
    fileprivate var shown: String {
        "\(name) (\(aliases.joined(separator: ", "))): \(summary) \(shape), primary \(isPrimary), "
            + "secret \(isSecret), required \(isRequired)"
    }
}

/// Values of secrets for a contract, and the search for them.
struct ContractSecrets: Sendable {
    /// How many characters of a secret are too many to be shown.
    private static let revealing = 8

    /// The values by name.
    let values: [String: String]
    private let mask: SecretMask

    /// Takes the given values, and invents those that are missing.
    init(_ names: Set<String>, given: [String: String]) {
        var values = given
        for name in names where values[name] == nil { values[name] = Self.invented(name) }
        self.values = values
        mask = SecretValues(values).mask
    }

    /// Letters and digits in an order that depends on the name alone.
    private static func invented(_ name: String) -> String {
        var state: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let letters = Array("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String(
            (0..<32).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return letters[Int((state >> 33) % UInt64(letters.count))]
            })
    }

    /// Searches texts, masked as the master masks them, for a part of a secret.
    ///
    /// - Returns: The text, or `nil` if there is none.
    func leak(in texts: [String]) -> String? {
        let parts = values.values.flatMap { value in
            value.lowercased().split { !$0.isLetter && !$0.isNumber }
                .filter { $0.count >= Self.revealing }
                .flatMap { run in
                    run.indices.dropLast(Self.revealing - 1).map {
                        run[$0...].prefix(Self.revealing)
                    }
                }
        }
        return texts.map { mask.apply(to: $0) }.first { text in
            let text = text.lowercased()
            return parts.contains { text.contains($0) }
        }
    }
}
