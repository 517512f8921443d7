public import FoundationEssentials
public import MasterKit
import Synchronization

/// Runs a change source without a master: its waits take no time, its changes and its state are
/// kept in memory; HTTP and commands are real.
///
/// ```swift
/// try await withLoopbackServer { server in
///     let harness = try ChangeSourceHarness()
///     try await harness.run(try Release.configured("\(server.url)/version"), waits: 3)
///     #expect(harness.changes.map(\.comments) == ["version 1.0"])
/// }
/// ```
public final class ChangeSourceHarness: Sendable {
    /// A change source waited again and again without finding a change.
    public struct EndlessWait: Error, CustomStringConvertible {
        /// What happened.
        public let description = "it waited \(ChangeSourceHarness.maximumWaits) times for a change"
    }

    private struct State {
        var now: Date
        var waits = 0
        var idleWaits = 0
        var changes: [Change] = []
        var saved: JSONValue?
        var problem: String?
        var changeLimit = Int.max
        var waitLimit = Int.max
        var wait: @Sendable (Int) async throws -> Void = { _ in }
        /// The error for which the source was stopped.
        var failure: (any Error)?
    }

    fileprivate static let maximumWaits = 1000

    /// The time at which the source is first started.
    public let start: Date
    /// What the source has logged.
    public let messages = RecordedMessages()
    private let secrets: SecretValues
    private let machine: SourceMachine
    private let accept: @Sendable () throws -> Void
    private let http: HTTPClient
    private let session: HTTPSession
    private let state: Mutex<State>
    private let running = StoppableRun()

    /// Creates a stand-in for the master that a source runs in.
    ///
    /// - Parameters:
    ///   - start: The time at which the source is started; by default the start of 2026.
    ///   - state: The state saved by the source in an earlier run.
    ///   - secrets: The values of secrets by name.
    ///   - worker: Runs its commands; by default a command is an error.
    ///   - folder: Its own folder, absolute; it is also that of master.yaml.
    ///   - accept: Called whenever changes are added; if it throws, the source gets the error.
    /// - Throws: An error if the system cannot provide a thread or memory for a client.
    public init(
        start: Date = Date(timeIntervalSince1970: 1_767_225_600), state: JSONValue? = nil,
        secrets: [String: String] = [:], worker: any Worker = ScriptedWorker(),
        folder: String = "/", accepting accept: @escaping @Sendable () throws -> Void = {}
    ) throws {
        self.start = start
        self.secrets = SecretValues(secrets)
        self.accept = accept
        machine = SourceMachine(worker: worker, folder: folder, masterFolder: folder)
        http = HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = http.makeSession()
        self.state = Mutex(State(now: start, saved: state))
    }

    /// Runs a source until it returns, has added a number of changes, or has waited some times.
    ///
    /// It is then stopped as if the master had been killed. A second call is a restart: the source
    /// finds the state that it has saved.
    ///
    /// - Parameters:
    ///   - source: The source.
    ///   - changes: How many changes it may add; by default any number.
    ///   - waits: How often it may wait; by default any number of times.
    ///   - wait: Called for each wait of this run, counted from 1, so that a test can make changes
    ///     between two looks of the source.
    /// - Throws: Any error from the source or from `wait`, or ``EndlessWait``.
    public func run(
        _ source: some ChangeSource, changes: Int? = nil, waits: Int? = nil,
        atEachWait wait: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) async throws {
        state.withLock { state in
            state.changeLimit = changes.map { state.changes.count + $0 } ?? .max
            state.waitLimit = waits ?? .max
            (state.waits, state.idleWaits) = (0, 0)
            state.wait = wait
        }
        guard changes != 0, waits != 0 else { return }
        let bus = EventBus()
        try await bus.withSubscription(to: [], bound: 1) { events in
            try await running.run { try await self.run(source, events) }
        }
        if let error = state.withLock(\.failure) { throw error }
    }

    private func run(_ source: some ChangeSource, _ events: EventSubscription) async throws {
        let options = ChangeSourceOptions()
        let service = ServiceContext(
            name: source.standardName ?? type(of: source).pluginName,
            logger: Logger(label: "changes") { _ in messages.handler },
            events: events,
            host: ChangeSourceHost(harness: self, secrets: secrets, http: http, session: session))
        try await source.run(
            in: ChangeSourceContext(service, options, on: machine))
    }

    /// The changes added by the source, in order.
    public var changes: [Change] { state.withLock(\.changes) }

    /// The last state saved by the source.
    public var savedState: JSONValue? { state.withLock(\.saved) }

    /// What keeps the source from finding changes, as it said last.
    public fileprivate(set) var problem: String? {
        get { state.withLock(\.problem) }
        set { state.withLock { $0.problem = newValue } }
    }

    /// The time as the source sees it.
    public var now: Date { state.withLock(\.now) }

    fileprivate func add(_ changes: [Change], saving saved: JSONValue?) async throws -> [Change] {
        try Task.checkCancellation()
        try accept()
        let (added, isLast) = state.withLock { state in
            let added = changes.numbered(after: state.changes.count)
            state.changes += added
            state.saved = saved ?? state.saved
            if !added.isEmpty { state.idleWaits = 0 }
            return (added, state.changes.count >= state.changeLimit)
        }
        if isLast { try await running.stop() }
        return added
    }

    fileprivate func save(_ saved: JSONValue) { state.withLock { $0.saved = saved } }

    fileprivate func wait(until moment: Date) async throws {
        try Task.checkCancellation()
        await Task.yield()
        let (count, idle, limit, wait) = state.withLock { state in
            state.now = max(state.now, moment)
            state.waits += 1
            state.idleWaits += 1
            return (state.waits, state.idleWaits, state.waitLimit, state.wait)
        }
        do {
            try await wait(count)
            guard idle <= Self.maximumWaits else { throw EndlessWait() }
        } catch {
            state.withLock { $0.failure = error }
            try await running.stop()
        }
        if count >= limit { try await running.stop() }
    }
}

/// The master of a harness.
private struct ChangeSourceHost: ServiceHost, WallClock {
    let harness: ChangeSourceHarness
    let secrets: SecretValues
    let http: HTTPClient
    let session: HTTPSession

    var clock: any Clock<Duration> { ContinuousClock() }
    var time: any WallClock { self }
    var now: Date { harness.now }
    var problem: String? {
        get { harness.problem }
        nonmutating set { harness.problem = newValue }
    }

    func sleep(until moment: Date) async throws { try await harness.wait(until: moment) }

    /// A change source submits no builds: its context has no way to.
    func submit(
        _ request: BuildsetRequest, saving state: JSONValue?
    ) async throws -> Submission {
        preconditionFailure("a change source has submitted builds")
    }

    func addChanges(_ changes: [Change], saving state: JSONValue?) async throws -> [Change] {
        try await harness.add(changes, saving: state)
    }

    func state() async throws -> JSONValue? { harness.savedState }

    func save(_ state: JSONValue) async throws { harness.save(state) }

    func buildsets(
        of scheduler: String, from id: Int, and earlier: [Int]
    ) async throws -> [ScheduledBuildset] { [] }

    func changes(after id: Int, limit: Int) async throws -> [Change] {
        Array(harness.changes.filter { $0.id > id }.prefix(limit))
    }

    func changes(_ ids: [Int]) async throws -> [Change] {
        harness.changes.filter { ids.contains($0.id) }
    }

    func newestChangeID() async throws -> Int { harness.changes.last?.id ?? 0 }

    func isEnabled() async throws -> Bool { true }
}
