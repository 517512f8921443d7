public import MasterKit

/// The promises of a step.
///
/// ```swift
/// try await withTemporaryFolder { parent in
///     try await StepContract(CountLines.self, "words.txt") {
///         let folder = try parent.makeFolder()
///         try folder.write("one\ntwo\n", to: "words.txt")
///         return try StepHarness(worker: folder.localWorker, workdir: folder.path)
///     }.verify()
/// }
/// ```
///
/// The step is run several times: as it is, twice at once, cancelled, and on a machine that fails.
/// A secret in its settings for which the harness has no value gets one.
public struct StepContract<P: Step>: Contract {
    private let subject: ContractSubject<P>
    private let expected: Results
    private let makeHarness: @Sendable () throws -> StepHarness

    /// Creates a contract.
    ///
    /// - Parameters:
    ///   - type: The step.
    ///   - settings: Its settings.
    ///   - expected: The result of the step with these settings.
    ///   - plugins: The plugins that the settings name.
    ///   - limit: How long the step may take, and how long its end after a cancellation.
    ///   - harness: Creates what a run needs: the worker, files, properties. Called for each run;
    ///     runs at the same time must not share a folder in which the step writes.
    public init(
        _ type: P.Type, _ settings: SettingLiteral = [:], expecting expected: Results = .success,
        plugins: [PluginBundle] = [], limit: Duration = .seconds(20),
        harness: @escaping @Sendable () throws -> StepHarness = { try StepHarness() }
    ) {
        subject = ContractSubject(settings, plugins: plugins, scope: .build, limit: limit)
        self.expected = expected
        makeHarness = harness
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        guard subject.checkDeclarations(findings) else { return findings.sorted }
        try await subject.withPlugin(findings) { step, secretNames in
            let first = try Trial(makeHarness(), secretNames)
            guard let results = await run(step, first, findings) else { return }
            if results != expected {
                findings.add(
                    .doesItsWork,
                    "the result is \(results.name), not \(expected.name); the last state text is "
                        + "'\(first.harness.summary ?? "")'")
            }
            await checkEnd(of: first, findings)
            if let text = first.leak {
                findings.add(.hidesSecrets, "part of a secret is in '\(text)'")
            }
            try await checkTwice(step, secretNames, findings)
            try await checkCancellation(step, secretNames, findings)
            if first.commandCount > 0 { try await checkFailures(step, secretNames, findings) }
        }
        return findings.sorted
    }

    private func run(_ step: P, _ trial: Trial, _ findings: Findings) async -> Results? {
        switch await Limited.run(within: subject.limit, { try await trial.harness.run(step) }) {
        case .success(let results)?: return results
        case .failure(let error)?: findings.add(.doesItsWork, "it throws: \(error)")
        case nil:
            findings.add(.doesItsWork, "it has not ended after \(subject.limit.inSeconds)")
        }
        return nil
    }

    private func checkTwice(
        _ step: P, _ secrets: Set<String>, _ findings: Findings
    ) async throws {
        let trials = try (Trial(makeHarness(), secrets), Trial(makeHarness(), secrets))
        let limit = subject.limit
        async let one = Limited.run(within: limit) { try await trials.0.harness.run(step) }
        async let other = Limited.run(within: limit) { try await trials.1.harness.run(step) }
        let ends = await (trials.0.shown(one), trials.1.shown(other))
        if ends.0 != ends.1 {
            findings.add(.runsTwiceAtOnce, "one run \(ends.0), the other \(ends.1)")
        }
        _ = await (trials.0.harness.endBuild(), trials.1.harness.endBuild())
    }

    private func checkCancellation(
        _ step: P, _ secrets: Set<String>, _ findings: Findings
    ) async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            // Whatever the step waits for never comes: commands, pauses, answers, builds.
            let reached = Latch()
            let clock = ManualClock()
            let http = HTTPClient(
                HTTPClientConfiguration(
                    environment: ["http_proxy": server.url, "https_proxy": server.url]))
            let trial = try Trial(
                makeHarness().copy { setup in
                    setup.clock = clock
                    setup.http = http
                    if setup.builds != nil {
                        setup.builds = { _ in
                            reached.open()
                            await Latch().wait()
                            throw CancellationError()
                        }
                    }
                }, secrets, .hangs, reached: reached)
            let watch = Task {
                await withDiscardingTaskGroup { group in
                    group.addTask {
                        await clock.waitForSleep(); reached.open()
                    }
                    group.addTask {
                        await server.waitForRequests(1); reached.open()
                    }
                }
            }
            let ends = await Limited.endsWhenCancelled(within: subject.limit, at: reached) {
                _ = try await trial.harness.run(step)
            }
            watch.cancel()
            if !ends {
                findings.add(
                    .endsWhenCancelled, "it still ran after \(subject.limit.inSeconds)")
            } else {
                await checkEnd(of: trial, findings)
            }
            await http.shutdown()
        }
    }

    private func checkEnd(of trial: Trial, _ findings: Findings) async {
        await trial.harness.endBuild()
        let count = trial.underWay
        if count > 0 { findings.add(.leavesNoCommand, "\(count) still ran") }
    }

    private func checkFailures(
        _ step: P, _ secrets: Set<String>, _ findings: Findings
    ) async throws {
        let faults: [any Error] = [
            CommandError(.noResources, "the machine has no memory left"),
            WorkerLost(worker: "test", reason: "the connection was closed"),
        ]
        for fault in faults {
            let trial = try Trial(makeHarness(), secrets, .fails(fault))
            let end = await Limited.run(within: subject.limit) { try await trial.harness.run(step) }
            await trial.harness.endBuild()
            if case .success(let results)? = end, [.success, .warnings, .skipped].contains(results)
            {
                findings.add(.failsWithItsMachine, "it ended as \(results.name) after '\(fault)'")
            }
        }
    }

    /// One run of the step.
    private struct Trial {
        let harness: StepHarness
        private let worker: ProbeWorker?
        private let secrets: ContractSecrets

        init(
            _ harness: StepHarness, _ names: Set<String>, _ mode: ProbeWorker.Mode = .passes,
            reached: Latch = Latch()
        ) {
            let worker = harness.setup.worker.map { ProbeWorker($0, mode, reached: reached) }
            let secrets = ContractSecrets(names, given: harness.setup.secrets)
            self.worker = worker
            self.secrets = secrets
            self.harness = harness.copy { setup in
                setup.worker = worker
                setup.secrets = secrets.values
            }
        }

        var commandCount: Int { worker?.begun ?? 0 }
        var underWay: Int { worker?.underWay ?? 0 }

        /// What must be the same in two runs.
        func shown(_ end: Result<Results, any Error>?) -> String {
            switch end {
            case .success(let results)?:
                let properties = JSONWriter.compact.string(.object(harness.properties.values))
                return "ended as \(results.name) with the logs \(harness.logs.map(\.name)), the "
                    + "properties \(properties) and the links \(harness.urls.map(\.name))"
            case .failure(let error)?: return "threw: \(error)"
            case nil: return "did not end"
            }
        }

        /// A text in which a part of a secret shows.
        var leak: String? {
            let properties = harness.properties.entries.flatMap { name, entry in
                [name, entry.value.text ?? JSONWriter.compact.string(entry.value)]
            }
            return secrets.leak(
                in: harness.logs.flatMap { [$0.name] + $0.lines } + harness.summaries + properties
                    + harness.urls.flatMap { [$0.name, $0.url] })
        }
    }
}
