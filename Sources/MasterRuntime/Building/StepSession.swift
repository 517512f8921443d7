internal import FoundationEssentials
internal import MasterKit
internal import Synchronization
internal import SystemPackage

/// A running step's interface to its build, its worker and its logs.
final class StepSession: StepHost {
    private struct State {
        var summary: String?
        var isTimedOut = false
        var logs: [StepLogs.Open] = []
        var fault: LogFault?
        var deadline: StepDeadline?
        /// The last command, and whether it ran on the master.
        var lastCommand: (shell: Command.Shell, isMaster: Bool)?
        /// A description of the current attempt; `nil` for the first.
        var attempt: String?
        var attemptLog: LogWriter?
        /// The names of the links.
        var links: Set<String> = []
        /// Whether the step has ended, after which nothing more is recorded for it.
        var isClosed = false
        /// The number of logs being opened.
        var openingCount = 0
    }

    /// The most links of a step.
    private static let maximumLinks = 100

    let workdir: String
    let environment: [String: String?]
    let session: HTTPSession
    private let encoding: LogEncoding
    private let running: RunningText
    private let number: Int
    private let name: String
    private let build: BuildState
    private let worker: any Worker
    private let shared: BuildEnvironment
    private let submissions: Submissions
    private let stepID: Int
    private let logs: StepLogs
    private let state = Mutex(State())
    /// Set once the step has ended and no more logs are being opened.
    private let isComplete = Latch<Void>()

    init(
        number: Int, name: String, place: StepPlace, running: RunningText, session: HTTPSession,
        build: BuildState, worker: any Worker, shared: BuildEnvironment,
        submissions: Submissions, stepID: Int
    ) {
        self.number = number
        self.name = name
        self.workdir = place.workdir
        self.environment = place.environment
        self.encoding = place.encoding
        self.running = running
        self.session = session
        self.build = build
        self.worker = worker
        self.shared = shared
        self.submissions = submissions
        self.stepID = stepID
        logs = StepLogs(
            ofStep: stepID, number, name, limit: place.logLimit, build: build, shared: shared)
    }

    var clock: any Clock<Duration> { ContinuousClock() }
    var http: HTTPClient { shared.http }
    var renderContext: RenderContext { build.renderContext }
    var summary: String? { state.withLock { $0.summary } }
    /// A description of the current attempt; `nil` for the first.
    var attempt: String? { state.withLock { $0.attempt } }
    var isTimedOut: Bool { state.withLock { $0.isTimedOut } }

    func setProperty(
        _ property: String, to value: JSONValue, source: String
    ) async throws(JSONTooLarge) {
        try build.setProperty(property, value, source: source)
        var changed = Properties()
        changed.set(property, value, source: source)
        let (id, mask) = (build.build.id, shared.mask)
        await shared.store.post { [changed] transaction in
            try transaction.updateBuild(id, changed: mask.masked(changed))
        }
    }

    func setSummary(_ text: String) async {
        state.withLock { $0.summary = text }
        guard let shown = running.showing(text) else { return }
        await show(attempt.map { "\(shown) (\($0))" } ?? shown)
    }

    private func show(_ text: String) async {
        let masked = shared.mask.masked(state: text)
        await shared.store.post { [stepID] transaction in
            try transaction.updateStep(stepID, stateString: masked)
        }
    }

    // MARK: Waits

    /// Runs a closure while the step holds locks; while it waits for them, its state says so.
    func withLocks<Value>(
        _ demands: [LockDemand], _ body: () async throws -> Value
    ) async throws -> Value {
        try await submissions.distributor.withLocks(demands, for: build.build.requestID) { begins in
            let names = demands.map { "'\($0.name)'" }.joined(separator: ", ")
            let waiting = "waiting for \(demands.count == 1 ? "lock" : "locks") \(names)"
            let text = shared.mask.masked(state: begins ? waiting : running.first)
            await shared.store.post { [stepID] transaction in
                if begins {
                    try transaction.awaitLocks(stepID, stateString: text)
                } else {
                    try transaction.acquireLocks(stepID, stateString: text)
                }
            }
        } _: {
            try await body()
        }
    }

    func trigger(_ request: BuildsetRequest) async throws -> Submission {
        try await submissions.trigger(request, by: build.build, waits: false, link).0
    }

    func build(_ request: BuildsetRequest) async throws -> [TriggeredBuild] {
        try await submissions.build(request, by: build.build, of: build.builder.name, link)
    }

    /// Links to a build that the step has triggered, if there is a page for it.
    private func link(_ name: String, _ url: String) async {
        if shared.configuration.web != nil { await addURL(name, url) }
    }

    func addURL(_ name: String, _ url: String) async {
        let isKept = state.withLock { state in
            guard state.links.count < Self.maximumLinks || state.links.contains(name) else {
                return false
            }
            state.links.insert(name)
            return true
        }
        guard isKept else {
            shared.logger.warning(
                """
                \(build.name), step '\(self.name)': more than \(Self.maximumLinks) links; \
                dropped \(name)
                """)
            return
        }
        let (name, url) = (shared.mask.masked(name), shared.mask.masked(url))
        await shared.store.post { [stepID] transaction in
            try transaction.addURL(stepID, name: name, url: url)
        }
    }

    /// Begins another attempt, which is shown in the state string.
    func begin(_ attempt: String) async {
        let (summary, log) = state.withLock { state in
            state.attempt = attempt
            state.isTimedOut = false
            return (state.summary, state.attemptLog)
        }
        build.forgetLogs(ofStep: number, except: log?.path)
        let shown = summary.flatMap(running.showing) ?? running.first
        await show("\(shown) (\(attempt))")
    }

    /// Writes a line about the attempts to a separate log.
    func note(_ line: String) async throws {
        let log: LogWriter
        if let known = state.withLock({ $0.attemptLog }) {
            log = known
        } else {
            log = try await openFile("retry", kind: .stream)
            state.withLock { $0.attemptLog = log }
        }
        try await log.line(line, to: .header)
    }

    func noteTimeout() async {
        state.withLock { $0.isTimedOut = true }
    }

    func openLog(_ log: String, kind: LogKind) async throws -> any StepLog {
        try await openFile(log, kind: kind)
    }

    var masterFolder: String { shared.configuration.folder }
    var masterFile: String? {
        FilePath(shared.configuration.path).lastComponent.map { "\(masterFolder)/\($0)" }
    }

    var workingTree: WorkingTree? { shared.aids.workingTree }
    var programs: BackgroundPrograms { build.programs }
    var isWorkerLocal: Bool { worker.isLocal }

    var listeners: (any ListenerLookup)? { worker as? any ListenerLookup }

    func makeProgramLogs() -> any ProgramLogs { LogsOfProgram(logs) }

    func runProgram(
        _ shell: Command.Shell, updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        let shell = placed(shell)
        try await remakeFolder(of: shell)
        return try await run(shell, on: worker, updates)
    }

    /// The step with the folder and the environment of its last command.
    func failed(_ results: Results, _ stateString: String) async -> FailedStep {
        let last = state.withLock(\.lastCommand)
        let shell = last?.shell ?? placed(Command.Shell([], in: workdir))
        let machine = last?.isMaster == true ? shared.master : worker as? LocalWorker
        return FailedStep(
            builder: build.builder.name, build: build.build.number, number: number, name: name,
            results: results, stateString: stateString, workdir: shell.workdir,
            environment: machine?.environment(of: shell) ?? [:],
            logs: build.logs[number] ?? [])
    }

    /// Makes the folder of the build again, which an earlier step may have removed.
    private func remakeFolder(of shell: Command.Shell) async throws {
        // A stock worker makes the folder of a command.
        guard worker.isLocal else { return }
        let builddir = build.builddir
        guard shell.workdir == builddir || shell.workdir == "\(builddir)/build" else { return }
        _ = try await worker.run(.mkdir(Command.MakeDirectory(shell.workdir))) { _ in }
    }

    /// A command for the worker, in the folder and the environment of the step.
    private func placed(_ shell: Command.Shell) -> Command.Shell {
        var shell = shell
        shell.workdir = FilePaths.absolute(shell.workdir, in: workdir)
        shell.environment.merge(environment) { own, _ in own }
        return shell
    }

    func run(
        _ command: Command, on machine: CommandMachine, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        let folder = machine == .worker ? workdir : masterFolder
        let worker = machine == .worker ? worker : shared.master
        guard case .shell(var shell) = command else {
            return try await worker.run(
                command.resolved(in: folder), input: input, updates: updates)
        }
        if machine == .worker {
            shell = placed(shell)
            try await remakeFolder(of: shell)
        } else {
            shell.workdir = FilePaths.absolute(shell.workdir, in: folder)
        }
        let deadline = state.withLock { [shell] state in
            state.lastCommand = (shell, machine == .master)
            return state.deadline
        }
        guard let deadline else {
            return try await run(shell, on: worker, updates)
        }
        return try await deadline.run(shell) { try await run($0, on: worker, updates) }
    }

    private func run(
        _ shell: Command.Shell, on worker: any Worker,
        _ updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try await worker.run(.shell(shell)) { try await updates(encoding.decoded($0)) }
    }

    /// Applies a deadline to commands that are run from now on.
    func limit(by deadline: StepDeadline) {
        state.withLock { $0.deadline = deadline }
    }

    /// Writes an entire log at once, for messages of the runner about a step.
    func writeLog(_ log: String, _ text: String) async throws {
        try await openFile(log, kind: .text).line(text)
    }

    /// Closes all logs; no further ones can be opened.
    ///
    /// - Throws: The first error of a log that could not be created or written.
    func close() async throws(LogFault) {
        let isReady = state.withLock { state in
            state.isClosed = true
            return state.openingCount == 0
        }
        if isReady { isComplete.set() }
        await isComplete.wait()
        let opened = state.withLock { state in
            defer { state.logs = [] }
            return state.logs
        }
        if let fault = await logs.close(opened) { _ = note(fault) }
        if let fault = state.withLock({ $0.fault }) { throw fault }
    }

    private func openFile(_ log: String, kind: LogKind) async throws -> LogWriter {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.openingCount += 1 }
            return state.isClosed
        }
        if isClosed { throw StepHasEnded(action: "the log '\(log)' cannot be opened") }
        defer {
            let isReady = state.withLock { state in
                state.openingCount -= 1
                return state.openingCount == 0 && state.isClosed
            }
            if isReady { isComplete.set() }
        }
        do {
            return try await logs.make(log, kind: kind) { opened in
                state.withLock { $0.logs.append(opened) }
            }
        } catch let fault as LogFault {
            throw note(fault)
        }
    }

    /// Records the first log error, with which the step ends.
    private func note(_ fault: LogFault) -> LogFault {
        state.withLock { state in
            state.fault = state.fault ?? fault
            return fault
        }
    }
}

/// An error for a step that is still running after its end, for example because it ignored its
/// cancellation.
private struct StepHasEnded: Error, CustomStringConvertible {
    let action: String

    var description: String { "\(action): the step has ended" }
}
