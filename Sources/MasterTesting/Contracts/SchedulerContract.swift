public import MasterKit

/// The promises of a scheduler.
///
/// ```swift
/// try await SchedulerContract(Periodic.self, ["periodicBuildTimer": "1h"], builds: 3).verify()
/// ```
///
/// The scheduler is run until it has submitted its builds, cancelled, killed after each build and
/// restarted, and run by a master that accepts no builds. Its waits take no time.
public struct SchedulerContract<P: Scheduler>: Contract {
    private let subject: ContractSubject<P>
    private let builds: Int
    private let events: [Event]
    private let state: JSONValue?
    private let buildsets: [ScheduledBuildset]
    private let changes: [Change]

    /// Creates a contract.
    ///
    /// - Parameters:
    ///   - type: The scheduler.
    ///   - settings: Its own settings, without those of all schedulers.
    ///   - builds: How many builds it submits by itself; of a scheduler that never ends, how many
    ///     of them are checked.
    ///   - events: Events that make it do something.
    ///   - state: The state that it has saved in an earlier run.
    ///   - buildsets: The buildsets of any scheduler that it follows.
    ///   - changes: The changes that it finds, oldest first; they get ids from 1.
    ///   - plugins: The plugins that the settings name.
    ///   - limit: How long the scheduler may take to submit its builds, and to end.
    public init(
        _ type: P.Type, _ settings: SettingLiteral = [:], builds: Int, events: [Event] = [],
        state: JSONValue? = nil, buildsets: [ScheduledBuildset] = [], changes: [Change] = [],
        plugins: [PluginBundle] = [], limit: Duration = .seconds(20)
    ) {
        subject = ContractSubject(settings, plugins: plugins, scope: .service, limit: limit)
        self.builds = builds
        self.events = events
        self.state = state
        self.buildsets = buildsets
        self.changes = changes
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        guard subject.checkDeclarations(findings) else { return findings.sorted }
        try await subject.withPlugin(findings) { scheduler, _ in
            let whole = try harness()
            guard await run(scheduler, whole, builds, findings) else { return }
            guard whole.builds.count == builds else {
                findings.add(
                    .doesItsWork, "it submits \(whole.builds.count) builds in place of \(builds)")
                return
            }
            if !scheduler.wantedEvents.isEmpty { await checkEnd(scheduler, findings) }
            try await checkRestarts(scheduler, whole, findings)
            try await checkRefusal(scheduler, whole, findings)
        }
        return findings.sorted
    }

    private func harness() throws -> SchedulerHarness {
        try SchedulerHarness(state: state, buildsets: buildsets, changes: changes)
    }

    /// Runs a scheduler until it has submitted some builds, and is cancelled then.
    private func run(
        _ scheduler: P, _ harness: SchedulerHarness, _ builds: Int, _ findings: Findings
    ) async -> Bool {
        let before = harness.builds.count
        let end = await Limited.run(within: subject.limit) {
            // One more than expected would be found.
            try await harness.run(
                scheduler, events: events, builds: builds == 0 ? 1 : builds)
        }
        switch end {
        case .success?: return true
        case .failure(let error)?: findings.add(.doesItsWork, "it throws: \(error)")
        case nil where harness.builds.count - before >= max(builds, 1):
            findings.add(.endsWhenCancelled, "it still ran after \(subject.limit.inSeconds)")
        case nil:
            findings.add(
                .doesItsWork,
                "it has submitted \(harness.builds.count - before) of \(builds) builds after "
                    + subject.limit.inSeconds)
        }
        return false
    }

    private func checkEnd(_ scheduler: P, _ findings: Findings) async {
        let end = await Limited.run(within: subject.limit) {
            try await harness().run(scheduler, events: events)
        }
        if end == nil {
            findings.add(.endsWithItsEvents, "it still ran after \(subject.limit.inSeconds)")
        }
    }

    private func checkRestarts(
        _ scheduler: P, _ whole: SchedulerHarness, _ findings: Findings
    ) async throws {
        for count in 0..<max(builds, 1) - 1 {
            let parts = try harness()
            guard await run(scheduler, parts, count + 1, findings),
                await run(scheduler, parts, builds - count - 1, findings)
            else { return }
            if parts.builds != whole.builds {
                findings.add(
                    .continuesAfterRestart,
                    "killed after build \(count + 1) it submits \(parts.shown), else "
                        + whole.shown)
            }
        }
    }

    /// Runs a scheduler while no build is accepted, and then again.
    private func checkRefusal(
        _ scheduler: P, _ whole: SchedulerHarness, _ findings: Findings
    ) async throws {
        guard let first = whole.builds.first else { return }
        let refusing = try SchedulerHarness(
            state: state, buildsets: buildsets, changes: changes,
            accepting: { throw RefusedBuild() })
        let end = await Limited.run(within: subject.limit) {
            try await refusing.run(scheduler, events: events)
        }
        guard end != nil else {
            findings.add(.survivesFailedSubmits, "it still ran after \(subject.limit.inSeconds)")
            return
        }
        let again = try SchedulerHarness(
            start: refusing.now, state: refusing.savedState ?? state, buildsets: buildsets,
            changes: changes)
        guard await run(scheduler, again, 1, findings) else { return }
        if again.builds.first?.reason != first.reason
            || again.builds.first?.sourceStamps != first.sourceStamps
            || again.builds.first?.changeIDs != first.changeIDs
        {
            findings.add(
                .repeatsRefusedBuilds, "it submits \(again.shown) in place of '\(first.reason)'")
        }
    }
}

extension SchedulerHarness {
    fileprivate var shown: String {
        guard !builds.isEmpty else { return "nothing" }
        return builds.map { "'\($0.reason)' at \($0.date)" }.joined(separator: ", ")
    }
}
