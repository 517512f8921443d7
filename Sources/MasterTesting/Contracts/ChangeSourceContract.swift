import FoundationEssentials
public import MasterKit

/// The promises of a change source.
///
/// ```swift
/// try await ChangeSourceContract(Release.self, ["url": "\(server.url)/version"], changes: 1)
///     .verify()
/// ```
///
/// The source is run until it has added its changes, cancelled, killed after each change and
/// restarted, and run by a master that stores no changes. Its waits take no time.
public struct ChangeSourceContract<P: ChangeSource>: Contract {
    private let subject: ContractSubject<P>
    private let changes: Int
    private let state: JSONValue?
    private let secrets: [String: String]
    private let worker: any Worker
    private let makeFolder: @Sendable () throws -> String

    /// Creates a contract.
    ///
    /// - Parameters:
    ///   - type: The change source.
    ///   - settings: Its own settings, without those of all change sources.
    ///   - changes: How many changes it finds.
    ///   - state: The state that it has saved in an earlier run.
    ///   - secrets: Values of secrets; others that the settings use are invented.
    ///   - worker: Runs its commands; by default a command is an error.
    ///   - plugins: The plugins that the settings name.
    ///   - limit: How long the source may take to add its changes, and to end.
    ///   - folder: Makes an empty folder for a run of the source; by default it has none.
    public init(
        _ type: P.Type, _ settings: SettingLiteral = [:], changes: Int, state: JSONValue? = nil,
        secrets: [String: String] = [:], worker: any Worker = ScriptedWorker(),
        plugins: [PluginBundle] = [], limit: Duration = .seconds(20),
        folder: @escaping @Sendable () throws -> String = { "/" }
    ) {
        subject = ContractSubject(settings, plugins: plugins, scope: .service, limit: limit)
        self.changes = changes
        self.state = state
        self.secrets = secrets
        self.worker = worker
        makeFolder = folder
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        guard subject.checkDeclarations(findings) else { return findings.sorted }
        try await subject.withPlugin(findings) { source, names in
            let secrets = ContractSecrets(names, given: secrets)
            let whole = try harness(secrets)
            guard await run(source, whole, changes, findings) else { return }
            guard whole.changes.count == changes else {
                findings.add(
                    .doesItsWork, "it adds \(whole.changes.count) changes in place of \(changes)")
                return
            }
            if secrets.leak(in: whole.changes.map { "\($0)" }) != nil {
                findings.add(.hidesSecrets, "a part of one is in a change")
            }
            try await checkRestarts(source, whole, secrets, findings)
            try await checkRefusal(source, whole, secrets, findings)
        }
        return findings.sorted
    }

    private func harness(
        _ secrets: ContractSecrets, state: JSONValue? = nil, folder: String? = nil,
        accepting accept: @escaping @Sendable () throws -> Void = {}
    ) throws -> ChangeSourceHarness {
        try ChangeSourceHarness(
            state: state ?? self.state, secrets: secrets.values, worker: worker,
            folder: try folder ?? makeFolder(), accepting: accept)
    }

    /// Runs a source until it has added some changes, and is cancelled then; without changes, until
    /// it has waited twice.
    private func run(
        _ source: P, _ harness: ChangeSourceHarness, _ count: Int, _ findings: Findings
    ) async -> Bool {
        let before = harness.changes.count
        let end = await Limited.run(within: subject.limit) {
            // With no change, two waits show that it goes on.
            if count == 0 {
                try await harness.run(source, waits: 2)
            } else {
                try await harness.run(source, changes: count)
            }
        }
        switch end {
        case .success?: return true
        case .failure(let error)?: findings.add(.doesItsWork, "it throws: \(error)")
        case nil where harness.changes.count - before >= max(count, 1):
            findings.add(.endsWhenCancelled, "it still ran after \(subject.limit.inSeconds)")
        case nil:
            findings.add(
                .doesItsWork,
                "it has added \(harness.changes.count - before) of \(count) changes after "
                    + subject.limit.inSeconds)
        }
        return false
    }

    private func checkRestarts(
        _ source: P, _ whole: ChangeSourceHarness, _ secrets: ContractSecrets,
        _ findings: Findings
    ) async throws {
        for count in 0..<max(changes, 1) - 1 {
            let parts = try harness(secrets)
            guard await run(source, parts, count + 1, findings) else { return }
            let rest = changes - parts.changes.count
            if rest > 0 {
                guard await run(source, parts, rest, findings) else { return }
            }
            if parts.shown != whole.shown {
                findings.add(
                    .continuesAfterRestart,
                    "killed after change \(count + 1) it adds \(parts.shown), else \(whole.shown)")
            }
        }
    }

    /// Runs a source while no change is stored, and then again.
    private func checkRefusal(
        _ source: P, _ whole: ChangeSourceHarness, _ secrets: ContractSecrets,
        _ findings: Findings
    ) async throws {
        guard changes > 0 else { return }
        let folder = try makeFolder()
        let refusing = try harness(secrets, folder: folder, accepting: { throw RefusedBuild() })
        let end = await Limited.run(within: subject.limit) {
            try await refusing.run(source, waits: 3)
        }
        guard end != nil else {
            findings.add(.endsWhenCancelled, "it still ran after \(subject.limit.inSeconds)")
            return
        }
        let again = try harness(secrets, state: refusing.savedState, folder: folder)
        guard await run(source, again, changes, findings) else { return }
        if again.shown != whole.shown {
            findings.add(
                .repeatsRefusedChanges, "it adds \(again.shown) in place of \(whole.shown)")
        }
    }
}

extension ChangeSourceHarness {
    fileprivate var shown: String {
        guard !changes.isEmpty else { return "nothing" }
        return changes.map { "'\($0.comments)' (\($0.revision ?? "no revision"))" }
            .joined(separator: ", ")
    }
}
