internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import MasterKit
internal import MasterReceiver
internal import MasterRuntime
internal import MasterWorkers

/// A single `run`: a master from its start to the last report.
struct MasterRun: Sendable {
    /// The amount of output.
    enum Detail: Sendable {
        /// Errors and the outcome.
        case quiet
        /// Also progress.
        case normal
        /// Also the output of steps and the log of the program.
        case verbose
    }

    /// How long deliveries may take before a message says that the run waits for them.
    private static let patience: Duration = .seconds(1)
    /// How much of the end of a log is read for its last lines.
    private static let tailByteCount = 8 << 10

    let configuration: MasterConfiguration
    let secrets: SecretValues
    let options: Master.Options
    let request: BuildsetRequest
    /// The steps to run in each build.
    let steps: StepSelection
    let drain: DrainTime
    let advice: DeliveriesAdvice
    let receiver: ReceiverAddress?
    /// The files to which the results are written.
    let results: ResultFiles
    let detail: Detail
    /// Whether the output is JSON, one line per event.
    let isJSON: Bool
    /// How long builds wait for workers, or `nil` if they run on this machine.
    var workerWait: WorkerWait?
    let context: CommandContext

    var console: Console { context.console }

    /// Runs the master and shows its progress and outcome.
    ///
    /// - Returns: The status for the worst result, or for the signal that interrupted it.
    func run() async throws -> ExitStatus {
        let start = ContinuousClock.now
        let interruption = Interruption()
        let loggedErrors = LoggedErrors()
        let end = try await withReceiver { try await runMaster(interruption, loggedErrors) }
        let duration = ContinuousClock.now - start
        switch end {
        case .success(let outcome):
            let worst =
                isJSON
                ? await write(outcome, duration, interruption)
                : await show(outcome, duration, interruption)
            try results.write(
                outcome.builds, title: configuration.identity.title, duration: duration)
            if let signal = interruption.signal { return ExitStatus(signal) }
            return workerWait?.hasGivenUp == true ? .failure : ExitStatus(worst)
        case .failure(let error):
            await show(error, duration, loggedErrors)
            return .failure
        }
    }

    // MARK: Receiver

    private func withReceiver<Value>(_ body: () async throws -> Value) async throws -> Value {
        guard let receiver else { return try await body() }
        let console = console
        let width = console.output.canRedraw ? console.size.columns : RequestPrinter.plainWidth
        let printer = RequestPrinter(
            console.output, .compact(width: width), hiding: secrets.mask)
        let isShown = detail != .quiet && !isJSON
        return try await Receiver.run(ReceiverConfiguration(address: receiver)) { request in
            if isShown { await console.print(printer.lines(request)) }
        } _: { receiver in
            if isShown { await console.print("receiver listening on http://\(receiver.address)/") }
            return try await body()
        }
    }

    // MARK: Master

    /// Runs a master.
    ///
    /// - Returns: The outcome, or the error if the store failed.
    private func runMaster(
        _ interruption: Interruption, _ loggedErrors: LoggedErrors
    ) async throws -> Result<Outcome, StoreError> {
        let level: Logger.Level =
            switch detail {
            case .quiet: .warning
            case .normal: .info
            case .verbose: .debug
            }
        let logger = context.logger(level, noting: loggedErrors)
        var options = options
        if workerWait != nil { options.servers = [WorkerEndpoint(logger: logger)] }
        return try await Master.run(
            configuration, secrets, options: options, logger: logger
        ) { master in
            do {
                return .success(try await work(master, interruption))
            } catch let error as StoreError {
                return .failure(error)
            }
        }
    }

    private func work(_ master: Master, _ interruption: Interruption) async throws -> Outcome {
        try StopSignal.watch { obey($0, master, interruption) }
        let builds = try await build(master, interruption)
        let deliveries = try await interruption.runUntilHurried {
            try await drainReports(of: master)
        }
        return Outcome(builds: builds, deliveries: deliveries)
    }

    /// Reacts to a signal. Called on a thread that may block, but must not wait for a task.
    private func obey(_ signal: StopSignal, _ master: Master, _ interruption: Interruption) {
        switch interruption.note(signal) {
        case .hurry:
            console.post(["undelivered reports are kept for the next run"])
        case .stop:
            console.post([
                "stopping\(configuration.reporters.isEmpty ? "" : "; reports are still sent") "
                    + "(press Ctrl-C again to stop everything)"
            ])
            stop(master, signal.word)
        case .stopEverything:
            console.post(["stopping alwaysRun steps, too (press Ctrl-C again to exit immediately)"])
            stop(master, "\(signal.word) again")
        case .end:
            master.abandonCommands()
            console.flush(within: .milliseconds(200))
            _exit(ExitStatus(signal).code)
        case nil: break
        }
    }

    private func stop(_ master: Master, _ reason: String) {
        // Ends by itself, as soon as the unclaimed requests have been cancelled.
        Task { await master.stop(reason: reason) }
    }

    /// Waits for the reports, with a message if that takes a while.
    private func drainReports(of master: Master) async throws -> DeliverySummary {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await Task.sleep(for: Self.patience)
                console.post([
                    "waiting up to \(drain.limit.forPeople) for reports to be delivered; "
                        + "Ctrl-C keeps them for the next run"
                ])
            }
            defer { group.cancelAll() }
            return try await master.drain(for: drain.limit, isPatient: drain.isPatient)
        }
    }

    private func build(
        _ master: Master, _ interruption: Interruption
    ) async throws -> [FinishedBuild] {
        if isJSON {
            let lines = EventLines(console, withOutput: detail == .verbose)
            return try await build(master, interruption, showing: lines.kinds, lines.write)
        }
        guard detail != .quiet else { return try await buildAll(master, interruption) }
        let follow: RunDisplay.Follow = { try await master.follow(log: $0) }
        let display = RunDisplay(
            console, follow: detail == .verbose ? follow : nil,
            tail: { try await master.tail(ofLog: $0, byteCount: Self.tailByteCount) },
            usual: usualTimes, activity: { master.activity(listing: BuildTree.waitingCount) })
        let section = LogSection(console.output, name: "builds")
        await console.command(section.begin(at: Date()))
        let builds = try await build(master, interruption, showing: display.kinds) {
            await display.show($0)
        }
        await console.command(section.end(at: Date()))
        return builds
    }

    /// How long the builds of the requested builders usually take.
    private func usualTimes() async throws -> [String: UsualTimes] {
        try await BuildHistory.with(folder: options.basedir) { history in
            var times: [String: UsualTimes] = [:]
            for builder in request.builders ?? [] {
                times[builder] = try await history?.usualTimes(of: builder)
            }
            return times
        }
    }

    /// Builds while a closure shows the events; returns when all of them are shown.
    private func build(
        _ master: Master, _ interruption: Interruption, showing kinds: Set<EventKind>,
        _ show: @escaping @Sendable (EventSubscription) async -> Void
    ) async throws -> [FinishedBuild] {
        try await master.events.withSubscription(to: kinds, bound: RunDisplay.bound) { events in
            async let shown: Void = show(events)
            defer { events.finish() }
            let builds = try await buildAll(master, interruption)
            events.finish()
            await shown
            return builds
        }
    }

    /// Whether to print what builds wait for; a terminal shows it in the tree.
    private var showsWaits: Bool { detail != .quiet && (isJSON || !console.output.canRedraw) }

    /// Builds what was requested, and then what services request.
    private func buildAll(
        _ master: Master, _ interruption: Interruption
    ) async throws -> [FinishedBuild] {
        defer { interruption.noteEndOfBuilds() }
        let watch = workerWait.map { wait in
            // Ends with this function.
            Task { await wait.watch(master, console, showing: showsWaits) }
        }
        defer { watch?.cancel() }
        let builds = try await master.wait(
            for: master.submit(request, steps: steps))
        return builds + (try await master.endServices())
    }
}
