internal import FoundationEssentials
internal import GRDB
internal import MasterKit
internal import ServiceLifecycle
internal import Synchronization

/// What runs beside the builds: a service, a scheduler, or a change source.
struct ServiceProgram: Sendable {
    /// The name, for messages.
    let name: String
    /// The name under which its state is stored.
    let stateName: String
    let isScheduler: Bool
    /// What it is, as the metadata of its log messages.
    let kind: String
    /// The plugin.
    let instance: PluginInstance?
    let wantedEvents: Set<EventKind>
    let run: @Sendable (ServiceContext) async throws -> Void

    init(_ service: ServiceDeclaration) {
        name = service.name
        stateName = Self.stateName(service)
        isScheduler = false
        kind = "service"
        instance = service.instances.last
        wantedEvents = service.plugin.wantedEvents
        run = { try await service.plugin.run(in: $0) }
    }

    init(_ scheduler: SchedulerDeclaration) {
        name = scheduler.name
        stateName = Self.stateName(scheduler)
        isScheduler = true
        kind = "scheduler"
        instance = scheduler.instances.last
        wantedEvents = scheduler.plugin.wantedEvents
        run = { try await scheduler.plugin.run(in: SchedulerContext($0, scheduler)) }
    }

    init(_ source: ChangeSourceDeclaration, of master: Master) {
        name = source.name
        stateName = Self.stateName(source)
        isScheduler = false
        kind = "change_source"
        instance = source.instances.last
        wantedEvents = []
        run = { context in
            try await source.plugin.run(
                in: ChangeSourceContext(
                    context, source.options, on: master.machine(ofSource: source.name)))
        }
    }

    static func stateName(_ service: ServiceDeclaration) -> String { service.name }
    static func stateName(_ scheduler: SchedulerDeclaration) -> String {
        "schedulers/" + scheduler.name
    }
    static func stateName(_ source: ChangeSourceDeclaration) -> String { "changes/" + source.name }

    func isSame(as other: ServiceProgram) -> Bool {
        instance != nil && instance === other.instance
    }
}

/// A service that runs concurrently with builds and is restarted when it fails.
final class RunningService: Sendable {
    /// The number of events buffered for a slow service.
    static let bound = 1024
    /// How long a service may take to handle its last events.
    static let grace: Duration = .seconds(5)
    /// The minimum and maximum pause before a restart.
    static let pauses: ClosedRange<Duration> = .seconds(1) ... .seconds(60)

    private let bus: EventBus
    private let host: RunningServiceHost
    private let events: EventSubscription
    private let clock: ElapsedClock
    private let ending: ServiceEnding
    /// Ended by ``end()``, which the owner of the service must call.
    private let task: Task<Void, Never>

    /// Starts a service, which receives the events from now on.
    ///
    /// - Parameters:
    ///   - program: The service; its plugin has been started.
    ///   - host: Handles its requests.
    ///   - bus: The source of its events.
    ///   - logger: Logs its failures.
    init(
        _ program: ServiceProgram, host: RunningServiceHost, on bus: EventBus, logger: Logger
    ) {
        self.bus = bus
        self.host = host
        let name = program.name
        let clock = ElapsedClock(host.clock)
        self.clock = clock
        events = bus.subscribe(to: program.wantedEvents, bound: Self.bound)
        var ownLogger = logger
        ownLogger[metadataKey: program.kind] = .string(name)
        let context = ServiceContext(name: name, logger: ownLogger, events: events, host: host)
        let ending = ServiceEnding()
        self.ending = ending
        task = Task {
            var pause = Self.pauses.lowerBound
            while !Task.isCancelled {
                let start = clock.elapsed
                do {
                    try await PluginCall.run(on: clock) {
                        try await program.run(context)
                    }
                    if !program.isScheduler, !ending.hasBegun.load(ordering: .relaxed) {
                        logger.notice("\(name) has ended by itself and does not run again")
                    }
                    return
                } catch is PluginCall.Abandoned {
                    logger.warning("\(name) did not end when it was told to, and was left behind")
                    return
                } catch  where Task.isCancelled {
                    return
                } catch  where ending.hasBegun.load(ordering: .relaxed) && pause > Self.grace {
                    return logger.error("\(name) failed: \(error)")
                } catch {
                    let now = clock.elapsed
                    if now - start > Self.pauses.upperBound { pause = Self.pauses.lowerBound }
                    let words = "failed and restarts in \(pause.components.seconds) s: \(error)"
                    logger.error("\(name) \(words)")
                    host.keep(problem: words)
                    await clock.wait(until: now + pause)
                    host.keep(problem: nil)
                    pause = min(pause * 2, Self.pauses.upperBound)
                }
            }
        }
    }

    /// Ends the service: its event stream finishes, and if it does not return soon, it is
    /// cancelled. A service that reads no events is cancelled immediately.
    func end() async {
        ending.hasBegun.store(true, ordering: .relaxed)
        events.finish()
        let grace = events.kinds.isEmpty ? .zero : Self.grace
        await withDiscardingTaskGroup { group in
            group.addTask { [task, clock] in
                await clock.wait(until: clock.elapsed + grace)
                task.cancel()
            }
            await task.value
            group.cancelAll()
        }
        host.keep(problem: nil)
        bus.unsubscribe(events)
    }
}

/// Whether a service has been told to end.
private final class ServiceEnding: Sendable {
    let hasBegun = Atomic(false)
}

/// The running services of a master.
final class RunningServices: Service {
    private typealias Entry = (program: ServiceProgram, service: RunningService)

    private let running = Mutex<[Entry]>([])

    /// Ends services that are no longer declared, and then starts the new ones.
    func follow(
        _ programs: [ServiceProgram], start: (ServiceProgram) -> RunningService
    ) async {
        let leaving = running.withLock { running in
            let leaving = running.filter { entry in
                !programs.contains { $0.isSame(as: entry.program) }
            }
            running.removeAll { entry in leaving.contains { $0.service === entry.service } }
            return leaving
        }
        for entry in leaving.reversed() { await entry.service.end() }
        running.withLock { running in
            let newcomers = programs.filter { new in
                !running.contains { $0.program.isSame(as: new) }
            }
            running += newcomers.map { (program: $0, service: start($0)) }
        }
    }

    /// Waits until the master shuts down, and then ends the services.
    func run() async {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled, which also ends the services.
        }
        await end()
    }

    /// Ends all services, in reverse order.
    func end() async {
        let services = running.withLock { running in
            defer { running = [] }
            return running.map(\.service)
        }
        for service in services.reversed() { await service.end() }
    }
}

/// A service's interface to its master.
struct RunningServiceHost: ServiceHost {
    let name: String
    let stateName: String
    let isScheduler: Bool
    let master: Master
    let session: HTTPSession

    var secrets: SecretValues { master.environment.secrets }
    var clock: any Clock<Duration> { master.options.time.monotonic }
    var time: any WallClock {
        let clock = master.options.time
        return isScheduler ? NotedClock(clock: clock, name: name, times: master.nextTimes) : clock
    }
    var http: HTTPClient { master.environment.http }

    var problem: String? {
        get { master.serviceProblems[stateName] }
        nonmutating set {
            let old = problem
            keep(problem: newValue)
            let new = problem
            guard new != old else { return }
            if let new {
                master.environment.logger.warning("\(name): \(new)")
            } else {
                master.environment.logger.notice("\(name) works again")
            }
        }
    }

    /// Replaces the problem without a message.
    func keep(problem: String?) {
        master.serviceProblems[stateName] = problem.map {
            master.environment.mask.masked($0.onOneLine).value
        }
    }

    func submit(_ request: BuildsetRequest, saving state: JSONValue?) async throws -> Submission {
        var request = request
        if request.properties["scheduler"] == nil {
            request.properties.set("scheduler", .string(name), source: "Scheduler")
        }
        let text = state.map(stored)
        if try await !isEnabled() { return try await skip(request, saving: state) }
        do {
            return try await master.submitForService(request) { [stateName] transaction in
                if let text { try transaction.keep(state: text, ofService: stateName) }
            }
        } catch let error as MasterError where error.code == .tooLarge && isScheduler {
            // It would be so each time, and keep the scheduler from all changes that follow.
            let ids = request.changes.map { "\($0.id)" }.joined(separator: ", ")
            let changes = ids.isEmpty ? "" : " of the changes with the ids \(ids)"
            master.environment.logger.error("\(name) leaves out a build\(changes): \(error)")
            return try await skip(request, saving: state)
        }
    }

    /// Builds nothing, but stores the state that goes with it.
    private func skip(
        _ request: BuildsetRequest, saving state: JSONValue?
    ) async throws -> Submission {
        if let state { try await save(state) }
        return Submission(
            buildset: Buildset(id: 0, reason: request.reason, submittedAt: time.now), requests: [])
    }

    func addChanges(_ changes: [Change], saving state: JSONValue?) async throws -> [Change] {
        let text = state.map(stored)
        return try await master.addChanges(changes) { [stateName] transaction in
            if let text { try transaction.keep(state: text, ofService: stateName) }
        }
    }

    func state() async throws -> JSONValue? {
        let text = try await master.environment.store.read { [stateName] database in
            try database.first(
                "SELECT state FROM service_state WHERE name = ?", [stateName]
            ) { $0[0] as String }
        }
        return try text.map { try JSONValue(parsing: $0) }
    }

    func save(_ state: JSONValue) async throws {
        let text = stored(state)
        try await master.environment.store.write { [stateName] transaction in
            try transaction.keep(state: text, ofService: stateName)
        }
    }

    func buildsets(
        of scheduler: String, from id: Int, and earlier: [Int]
    ) async throws -> [ScheduledBuildset] {
        try await master.environment.store.read { database in
            let marks = databaseQuestionMarks(count: earlier.count)
            let ids = try database.numbers(
                """
                SELECT id FROM buildset
                WHERE (id >= ? OR id IN (\(marks)))
                    AND json_extract(properties, '$.scheduler[0]') = ?
                    AND rebuilt_build_id IS NULL
                ORDER BY id
                """, [id] + StatementArguments(earlier) + [scheduler])
            return try ids.compactMap { id in
                guard let buildset = try Buildset.find(id, in: database) else { return nil }
                return ScheduledBuildset(
                    id: id, results: try buildset.resultsOfBuilds(in: database),
                    sourceStamps: buildset.sourceStamps,
                    changeIDs: try Change.ids(ofBuildset: id, in: database))
            }
        }
    }

    func changes(after id: Int, limit: Int) async throws -> [Change] {
        try await master.environment.store.read {
            try Change.all(after: id, limit: limit, in: $0)
        }
    }

    func changes(_ ids: [Int]) async throws -> [Change] {
        try await master.environment.store.read { database in
            try ids.sorted().compactMap { try Change.find($0, in: database) }
        }
    }

    func newestChangeID() async throws -> Int {
        try await master.environment.store.read {
            try $0.number("SELECT max(id) FROM change", []) ?? 0
        }
    }

    func isEnabled() async throws -> Bool {
        guard isScheduler else { return true }
        return try await !master.isDisabled(scheduler: name)
    }

    private func stored(_ state: JSONValue) -> Masked<String> {
        master.environment.mask.masked(state).map { JSONWriter.compact.string($0) }
    }
}

/// What running services tell of themselves, by their names.
final class ServiceNotes<Value: Sendable>: Sendable {
    private let notes = Mutex<[String: Value]>([:])

    subscript(name: String) -> Value? {
        get { notes.withLock { $0[name] } }
        set { notes.withLock { $0[name] = newValue } }
    }
}

/// A clock that tells for what a scheduler waits.
private struct NotedClock: WallClock {
    let clock: any WallClock
    let name: String
    let times: ServiceNotes<Date>

    var now: Date { clock.now }

    func sleep(until moment: Date) async throws {
        times[name] = moment
        defer { times[name] = nil }
        try await clock.sleep(until: moment)
    }
}

extension String {
    /// The text with a space for each control character.
    var onOneLine: String {
        String(UnicodeScalarView(unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
    }
}

extension Buildset {
    /// The worst result once the buildset is complete; skipped if no request was built.
    fileprivate func resultsOfBuilds(in database: Database) throws -> Results? {
        guard completeAt != nil else { return nil }
        let built = try database.number(
            "SELECT 1 FROM build_request WHERE buildset_id = ? AND results <> ? LIMIT 1",
            [id, Results.skipped.rawValue])
        return built == nil ? .skipped : results
    }
}

extension StoreTransaction {
    fileprivate func keep(state: Masked<String>, ofService name: String) throws {
        try database.run(
            """
            INSERT INTO service_state (name, state) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET state = excluded.state
            """,
            [name, state.value])
    }
}
