public import MasterKit
import Synchronization

/// Runs steps without a master: logs, properties and state are kept in memory, HTTP is real, and
/// commands go to the worker that a test gives.
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
    }

    /// The folder in which commands run.
    public let workdir: String
    /// Variables for commands, as a builder gives them.
    public let environment: [String: String?]
    /// What waits are measured with.
    public let clock: any Clock<Duration>
    /// The client with which requests are sent.
    public let http: HTTPClient
    /// The session in which requests are sent; its cookies live as long as the harness.
    public let session: HTTPSession

    private let worker: (any Worker)?
    private let secrets: SecretValues
    private let sourceStamps: [SourceStamp]
    private let state: Mutex<State>
    private let waiters = LineWaiters()

    /// Makes a stand-in for the build that a step runs in.
    ///
    /// - Parameters:
    ///   - properties: The build's properties.
    ///   - secrets: The values of secrets by name.
    ///   - sourceStamps: The sources of the build.
    ///   - worker: What runs commands; without one a command is an error.
    ///   - workdir: The folder in which commands run.
    ///   - environment: Variables for commands.
    ///   - clock: What waits are measured with.
    ///   - http: The client for requests; by default one of the harness's own, which takes no
    ///     proxy from the environment.
    /// - Throws: When the system has no thread or memory for the client.
    public init(
        properties: JSONObject = [:], secrets: [String: String] = [:],
        sourceStamps: [SourceStamp] = [], worker: (any Worker)? = nil, workdir: String = "/",
        environment: [String: String?] = [:], clock: any Clock<Duration> = ContinuousClock(),
        http: HTTPClient? = nil
    ) throws {
        self.clock = clock
        self.http = try http ?? HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = try self.http.makeSession()
        self.worker = worker
        self.workdir = workdir
        self.environment = environment
        self.secrets = SecretValues(secrets)
        self.sourceStamps = sourceStamps
        state = Mutex(State(properties: Properties(properties, source: "test")))
    }

    /// Runs a step and returns its result.
    ///
    /// - Throws: What the step throws, which a master would turn into the result exception.
    public func run(_ step: some Step, name: String? = nil) async throws -> Results {
        let name = name ?? type(of: step).pluginName
        let context = StepContext(
            name: name, number: 1, logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() },
            host: self)
        return try await step.run(in: context)
    }

    /// The build's properties as they are now.
    public var properties: Properties { state.withLock { $0.properties } }

    /// All logs in the order in which they were opened.
    public var logs: [RecordedLog] { state.withLock { $0.logs } }

    /// The first log of a name.
    public func log(_ name: String) -> RecordedLog? { logs.first { $0.name == name } }

    /// Waits until a line is in a log, or the waiting task is cancelled.
    ///
    /// - Parameters:
    ///   - line: The line with the letter of its channel, such as `oready`.
    ///   - log: The name of the log, which need not be open yet.
    public func waitForLine(_ line: String, in log: String) async {
        await waiters.wait(for: line, in: log) { self.has(line, in: log) }
    }

    private func has(_ line: String, in log: String) -> Bool {
        self.log(log)?.lines.contains(line) ?? false
    }

    /// Everything the step said about its state, in order.
    public var summaries: [String] { state.withLock { $0.summaries } }

    /// What the step said last about its state.
    public var summary: String? { summaries.last }

    /// Whether the step said that a time limit ended it.
    public var hasTimedOut: Bool { state.withLock { $0.hasTimedOut } }
}

extension StepHarness: StepHost {
    /// The build as values see it now.
    public var renderContext: RenderContext {
        RenderContext(
            properties: properties, sourceStamps: sourceStamps,
            worker: worker.map { ["name": .string($0.name)] } ?? [:], secrets: secrets)
    }

    /// Sets a property.
    public func setProperty(
        _ property: String, to value: JSONValue, source: String
    ) async throws(JSONTooLarge) {
        try state.withLock { state throws(JSONTooLarge) in
            try state.properties.setBounded(property, value, source: source)
        }
    }

    /// Notes what the step says about its state.
    public func setSummary(_ text: String) async {
        let masked = secrets.mask.apply(to: text)
        state.withLock { $0.summaries.append(masked) }
    }

    /// Notes that a time limit ended the step.
    public func noteTimeout() async {
        state.withLock { $0.hasTimedOut = true }
    }

    /// Opens a log in memory.
    public func openLog(_ log: String, kind: Log.Kind) async throws -> any StepLog {
        let opened = RecordedLog(name: log, kind: kind, mask: secrets.mask) { [weak self] in
            self?.waiters.check { line, log in self?.has(line, in: log) ?? false }
        }
        state.withLock { $0.logs.append(opened) }
        return opened
    }

    /// Runs a command on the worker.
    public func run(
        _ command: Command, updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        guard let worker else {
            throw CommandError(
                .invalid, "the step runs a command; give the StepHarness a worker for it")
        }
        return try await worker.run(command, updates: updates)
    }
}
