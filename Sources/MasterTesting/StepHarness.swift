import FoundationEssentials
public import MasterKit
import Synchronization

/// Runs steps without a master: logs, properties and state are in memory, HTTP is real, and
/// commands run on the worker that a test provides.
///
/// ```swift
/// let harness = try StepHarness(properties: ["branch": "main"])
/// let step = try POST.configured(["url": "http://127.0.0.1:\(port)/"])
/// #expect(try await harness.run(step) == .success)
/// #expect(harness.log("log")?.lines.contains("oStatus: 200") == true)
/// ```
public final class StepHarness: Sendable {
    private struct State {
        var properties: Properties
        var logs: [RecordedLog] = []
        var summaries: [String] = []
        var hasTimedOut = false
        var requests: [BuildsetRequest] = []
        var urls: [StepURL] = []
    }

    /// What a harness is made of.
    struct Setup: Sendable {
        var properties: JSONObject
        var secrets: [String: String]
        var sourceStamps: [SourceStamp]
        var worker: (any Worker)?
        var workdir: String
        var masterFolder: String?
        var environment: [String: String?]
        var workingTree: WorkingTree?
        var clock: any Clock<Duration>
        var builds: (@Sendable (BuildsetRequest) async throws -> [TriggeredBuild])?
        var http: HTTPClient
    }

    /// The session for requests; its cookies live as long as the harness.
    package let session: HTTPSession
    /// The programs that keep running after their steps.
    package let programs = BackgroundPrograms()

    let setup: Setup
    private let secrets: SecretValues
    private let state: Mutex<State>
    private let waiters = Waiters()

    /// Creates a stand-in for the build that a step runs in.
    ///
    /// - Parameters:
    ///   - properties: The build's properties.
    ///   - secrets: The values of secrets by name.
    ///   - sourceStamps: The sources of the build.
    ///   - worker: The worker for commands, also for those on the master; without one a command
    ///     is an error.
    ///   - workdir: The folder in which commands run.
    ///   - masterFolder: The folder from which paths on the master are taken; `workdir` by default.
    ///   - environment: The environment variables of the builder.
    ///   - workingTree: The working tree that source steps take.
    ///   - clock: The clock for waits.
    ///   - builds: Stands in for builds that the step triggers: it gets each request and returns
    ///     how the builds ended, or throws ``TriggerError``; without it a trigger is an error.
    ///   - http: The client for requests; by default one of its own that ignores proxies in the
    ///     environment.
    /// - Throws: When the system cannot provide a thread or memory for the client.
    public convenience init(
        properties: JSONObject = [:], secrets: [String: String] = [:],
        sourceStamps: [SourceStamp] = [], worker: (any Worker)? = nil, workdir: String = "/",
        masterFolder: String? = nil, environment: [String: String?] = [:],
        workingTree: WorkingTree? = nil, clock: any Clock<Duration> = ContinuousClock(),
        builds: (@Sendable (BuildsetRequest) async throws -> [TriggeredBuild])? = nil,
        http: HTTPClient? = nil
    ) throws {
        self.init(
            Setup(
                properties: properties, secrets: secrets, sourceStamps: sourceStamps,
                worker: worker, workdir: workdir, masterFolder: masterFolder,
                environment: environment, workingTree: workingTree, clock: clock, builds: builds,
                http: http ?? HTTPClient(HTTPClientConfiguration(environment: [:]))))
    }

    init(_ setup: Setup) {
        self.setup = setup
        session = setup.http.makeSession()
        secrets = SecretValues(setup.secrets)
        state = Mutex(State(properties: Properties(setup.properties, source: "test")))
    }

    /// Returns a harness that has not run anything yet, with some parts replaced.
    func copy(changing change: (inout Setup) -> Void) -> StepHarness {
        var setup = setup
        change(&setup)
        return StepHarness(setup)
    }

    /// Runs a step and returns its result.
    ///
    /// - Throws: Any error from the step; a master would turn it into the result `exception`.
    public func run(_ step: some Step, name: String? = nil) async throws -> Results {
        let name = name ?? type(of: step).pluginName
        let context = StepContext(
            name: name, number: 1, logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() },
            host: self)
        return try await step.run(in: context)
    }

    /// Ends the programs that steps left running, as at the end of a build.
    ///
    /// - Returns: The errors of those whose logs could not be written.
    @discardableResult
    public func endBuild() async -> [any Error] {
        await programs.stopAll("stopped at the end of the build")
    }

    /// The current properties of the build.
    public var properties: Properties { state.withLock { $0.properties } }

    /// All logs in the order they were opened.
    public var logs: [RecordedLog] { state.withLock { $0.logs } }

    /// Returns the first log with a name.
    public func log(_ name: String) -> RecordedLog? { logs.first { $0.name == name } }

    /// Waits until a log has a line, or the task is cancelled.
    ///
    /// - Parameters:
    ///   - line: The line, starting with the letter of its channel, such as `oready`.
    ///   - log: The name of the log, which need not be open yet.
    public func waitForLine(_ line: String, in log: String) async {
        await waiters.wait { self.has(line, in: log) }
    }

    private func has(_ line: String, in log: String) -> Bool {
        self.log(log)?.lines.contains(line) ?? false
    }

    /// All summaries that the step has set, in order.
    public var summaries: [String] { state.withLock { $0.summaries } }

    /// The last summary that the step has set.
    public var summary: String? { summaries.last }

    /// The builds that the step has triggered, in order.
    public var requests: [BuildsetRequest] { state.withLock { $0.requests } }

    /// The links that the step has attached, in order: text and address.
    public var urls: [(name: String, url: String)] {
        state.withLock { $0.urls.map { ($0.name, $0.url) } }
    }

    /// Replaces the secrets of the build.
    var mask: SecretMask { secrets.mask }

    /// Whether the step reported that it timed out.
    public var hasTimedOut: Bool { state.withLock { $0.hasTimedOut } }
}

extension StepHarness: StepHost {
    /// The build as currently seen by expressions.
    package var renderContext: RenderContext {
        RenderContext(
            properties: properties, sourceStamps: setup.sourceStamps,
            worker: setup.worker.map { ["name": .string($0.name)] } ?? [:], secrets: secrets)
    }

    /// The folder in which commands run.
    package var workdir: String { setup.workdir }
    /// The folder from which paths on the master are taken.
    package var masterFolder: String { setup.masterFolder ?? setup.workdir }
    /// None, as the harness has no configuration.
    package var masterFile: String? { nil }
    /// The environment variables of the builder.
    package var environment: [String: String?] { setup.environment }
    /// The clock for waits.
    package var clock: any Clock<Duration> { setup.clock }
    /// The client for requests.
    package var http: HTTPClient { setup.http }
    /// The working tree that source steps take.
    package var workingTree: WorkingTree? { setup.workingTree }

    /// Sets a property.
    package func setProperty(
        _ property: String, to value: JSONValue, source: String
    ) async throws(JSONTooLarge) {
        try state.withLock { state throws(JSONTooLarge) in
            try state.properties.setBounded(property, value, source: source)
        }
    }

    /// Records a summary of the step.
    package func setSummary(_ text: String) async {
        let masked = secrets.mask.apply(to: text)
        state.withLock { $0.summaries.append(masked) }
    }

    /// Records that the step timed out.
    package func noteTimeout() async {
        state.withLock { $0.hasTimedOut = true }
    }

    /// Opens a log in memory.
    package func openLog(_ log: String, kind: LogKind) async throws -> any StepLog {
        let opened = RecordedLog(name: log, kind: kind, mask: secrets.mask) { [weak self] in
            self?.waiters.check()
        }
        state.withLock { $0.logs.append(opened) }
        return opened
    }

    /// Whether the worker is on this machine.
    package var isWorkerLocal: Bool { setup.worker?.isLocal ?? false }

    /// The worker, if it knows at which ports its programs listen.
    package var listeners: (any ListenerLookup)? { setup.worker as? any ListenerLookup }

    /// Runs a program on the worker.
    package func runProgram(
        _ shell: Command.Shell, updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try await run(.shell(shell), on: .worker, input: .nothing, updates: updates)
    }

    /// Returns logs that are like those of a step.
    package func makeProgramLogs() -> any ProgramLogs { HarnessLogs(harness: self) }

    /// Records a link, with secrets masked.
    package func addURL(_ name: String, _ url: String) async {
        let link = StepURL(
            name: secrets.mask.apply(to: name), url: secrets.mask.apply(to: url))
        state.withLock { state in
            state.urls.removeAll { $0.name == link.name }
            state.urls.append(link)
        }
    }

    /// Records a request for builds.
    package func trigger(_ request: BuildsetRequest) async throws -> Submission {
        _ = try await build(request)
        return Submission(
            buildset: Buildset(id: requests.count, reason: request.reason, submittedAt: Date()),
            requests: [])
    }

    /// Records a request for builds, and returns the builds that the test provides.
    package func build(_ request: BuildsetRequest) async throws -> [TriggeredBuild] {
        state.withLock { $0.requests.append(request) }
        guard let builds = setup.builds else {
            throw TriggerError("the step triggers builds; give the StepHarness 'builds' for them")
        }
        return try await builds(request)
    }

    /// Runs a command on the worker.
    package func run(
        _ command: Command, on machine: CommandMachine, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        guard let worker = setup.worker else {
            throw CommandError(
                .invalid, "the step runs a command; give the StepHarness a worker for it")
        }
        let folder = machine == .worker ? workdir : masterFolder
        return try await worker.run(command.resolved(in: folder), input: input, updates: updates)
    }
}

private struct HarnessLogs: ProgramLogs {
    let harness: StepHarness

    func openLog(_ log: String) async throws -> any StepLog {
        try await harness.openLog(log, kind: .stream)
    }

    func close() async throws {}
}
