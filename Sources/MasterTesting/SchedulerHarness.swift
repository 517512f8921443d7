public import FoundationEssentials
public import MasterKit
import Synchronization

/// Runs a scheduler without a master: whatever it waits for is there at once, and its builds and
/// its state are kept in memory.
///
/// ```swift
/// let harness = try SchedulerHarness()
/// try await harness.run(try Periodic.configured(["periodicBuildTimer": "1h"]), builds: 3)
/// #expect(harness.builds.map(\.date) == [harness.start, harness.start + 3600, harness.start + 7200])
/// ```
public final class SchedulerHarness: Sendable {
    /// A buildset that the scheduler has submitted.
    public struct Build: Sendable, Hashable {
        /// When it was submitted.
        public let date: Date
        /// Its reason.
        public let reason: String
        /// The sources that it builds.
        public let sourceStamps: [SourceStamp]
        /// The ids of the changes that it is made of.
        public let changeIDs: [Int]
    }

    /// A scheduler waited again and again without building anything.
    public struct EndlessWait: Error, CustomStringConvertible {
        /// What happened.
        public let description = "it waited \(SchedulerHarness.maximumWaits) times without a build"
    }

    private struct State {
        var now: Date
        var waits = 0
        var builds: [Build] = []
        var changes: [Change]
        var saved: JSONValue?
        /// The number of builds after which the scheduler is stopped.
        var limit = Int.max
    }

    fileprivate static let maximumWaits = 10_000

    /// The time at which the scheduler is first started.
    public let start: Date
    private let upstream: [ScheduledBuildset]
    private let accept: @Sendable () throws -> Void
    private let options: SchedulerOptions
    private let http: HTTPClient
    package let session: HTTPSession
    private let state: Mutex<State>
    private let running = StoppableRun()

    /// Creates a stand-in for the master that a scheduler runs in.
    ///
    /// - Parameters:
    ///   - start: The time at which the scheduler is started; by default the start of 2026.
    ///   - state: The state saved by the scheduler in an earlier run.
    ///   - buildsets: The buildsets of any scheduler that it follows.
    ///   - changes: The changes stored so far, oldest first; they get ids from 1.
    ///   - accept: Called for each submitted build; if it throws, the scheduler gets the error.
    /// - Throws: An error if the system cannot provide a thread or memory for a client.
    public init(
        start: Date = Date(timeIntervalSince1970: 1_767_225_600), state: JSONValue? = nil,
        buildsets: [ScheduledBuildset] = [], changes: [Change] = [],
        accepting accept: @escaping @Sendable () throws -> Void = {}
    ) throws {
        self.start = start
        self.accept = accept
        upstream = buildsets
        let settings: SettingLiteral = ["name": "example", "builderNames": ["example"]]
        let decoder = SettingDecoder(registry: .empty, scope: .service)
        let read = decoder.read(
            SchedulerOptions.self, from: settings.node, owner: "the harness", at: nil)
        guard let read else { throw ConfigurationError(decoder.diagnostics) }
        options = read
        http = HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = http.makeSession()
        self.state = Mutex(
            State(now: start, changes: changes.numbered(after: 0), saved: state))
    }

    /// Runs a scheduler until it returns or has submitted a number of builds.
    ///
    /// After that many builds it is stopped as if the master had been killed as soon as the last
    /// one was stored. A second call is a restart: the scheduler finds the state that it has saved.
    ///
    /// - Parameters:
    ///   - scheduler: The scheduler.
    ///   - events: The events that it gets, if it wants them; they end after the last one, as when
    ///     the master shuts down. Without any they end only if `builds` is `nil`.
    ///   - builds: How many builds it may submit; by default any number.
    /// - Throws: Any error from the scheduler, or ``EndlessWait``.
    public func run(
        _ scheduler: some Scheduler, events: [Event] = [], builds: Int? = nil
    ) async throws {
        state.withLock { state in
            state.limit = builds.map { state.builds.count + $0 } ?? .max
            state.waits = 0
        }
        guard builds != 0 else { return }
        let bus = EventBus()
        try await bus.withSubscription(to: scheduler.wantedEvents, bound: events.count) { wanted in
            bus.publish(events)
            if builds == nil || !events.isEmpty { bus.finish() }
            try await running.run { try await self.run(scheduler, wanted) }
        }
    }

    private func run(_ scheduler: some Scheduler, _ events: EventSubscription) async throws {
        let type = type(of: scheduler)
        let declaration = SchedulerDeclaration(
            key: type.key, plugin: scheduler, options: options)
        let service = ServiceContext(
            name: options.name,
            logger: Logger(label: "scheduler") { _ in SwiftLogNoOpLogHandler() },
            events: events, host: SchedulerHost(harness: self, http: http, session: session))
        try await scheduler.run(in: SchedulerContext(service, declaration))
    }

    /// The builds submitted by the scheduler, in order.
    public var builds: [Build] { state.withLock(\.builds) }

    /// The last state saved by the scheduler.
    public var savedState: JSONValue? { state.withLock(\.saved) }

    /// The changes, oldest first, with their ids.
    public var changes: [Change] { state.withLock(\.changes) }

    /// Adds a change, which the scheduler finds when it next looks.
    public func add(_ change: Change) {
        state.withLock { $0.changes += [change].numbered(after: $0.changes.count) }
    }

    /// The time as the scheduler sees it.
    public var now: Date { state.withLock(\.now) }

    fileprivate func submit(_ request: BuildsetRequest, saving saved: JSONValue?) async throws {
        try Task.checkCancellation()
        try accept()
        let isLast = state.withLock { state in
            let build = Build(
                date: state.now, reason: request.reason,
                sourceStamps: request.sourceStamps.map(\.withoutDate),
                changeIDs: request.changes.map(\.id))
            state.builds.append(build)
            state.saved = saved ?? state.saved
            state.waits = 0
            return state.builds.count >= state.limit
        }
        if isLast { try await running.stop() }
    }

    fileprivate func save(_ saved: JSONValue) { state.withLock { $0.saved = saved } }

    fileprivate func buildsets(from id: Int, and earlier: [Int]) -> [ScheduledBuildset] {
        upstream.filter { $0.id >= id || earlier.contains($0.id) }
    }

    fileprivate func wait(until moment: Date) async throws {
        try Task.checkCancellation()
        await Task.yield()
        let waits = state.withLock { state in
            state.now = max(state.now, moment)
            state.waits += 1
            return state.waits
        }
        guard waits <= Self.maximumWaits else { throw EndlessWait() }
    }
}

extension SourceStamp {
    /// The sources alone; equal ones may have been seen at different times.
    fileprivate var withoutDate: SourceStamp {
        var stamp = self
        stamp.createdAt = Date(timeIntervalSince1970: 0)
        return stamp
    }
}

/// The master of a harness.
private struct SchedulerHost: ServiceHost, WallClock {
    let harness: SchedulerHarness
    let http: HTTPClient
    let session: HTTPSession

    var secrets: SecretValues { SecretValues([:]) }
    var clock: any Clock<Duration> { ContinuousClock() }
    var time: any WallClock { self }
    var now: Date { harness.now }
    /// A scheduler has no problems: its context has no way to say so.
    var problem: String? {
        get { nil }
        nonmutating set {}
    }

    func sleep(until moment: Date) async throws { try await harness.wait(until: moment) }

    func submit(
        _ request: BuildsetRequest, saving state: JSONValue?
    ) async throws -> Submission {
        try await harness.submit(request, saving: state)
        let buildset = Buildset(
            id: harness.builds.count, reason: request.reason, submittedAt: harness.now,
            sourceStamps: request.sourceStamps)
        return Submission(buildset: buildset, requests: [])
    }

    /// A scheduler adds no changes: its context has no way to.
    func addChanges(_ changes: [Change], saving state: JSONValue?) async throws -> [Change] {
        changes
    }

    func changes(after id: Int, limit: Int) async throws -> [Change] {
        Array(harness.changes.filter { $0.id > id }.prefix(limit))
    }

    func changes(_ ids: [Int]) async throws -> [Change] {
        harness.changes.filter { ids.contains($0.id) }
    }

    func newestChangeID() async throws -> Int { harness.changes.count }

    func isEnabled() async throws -> Bool { true }

    func state() async throws -> JSONValue? { harness.savedState }

    func save(_ state: JSONValue) async throws { harness.save(state) }

    func buildsets(
        of scheduler: String, from id: Int, and earlier: [Int]
    ) async throws -> [ScheduledBuildset] {
        harness.buildsets(from: id, and: earlier)
    }
}
