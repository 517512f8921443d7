internal import GRDB
internal import MasterKit
internal import ServiceLifecycle
internal import Synchronization

/// A service that runs concurrently with builds and is restarted when it fails.
final class RunningService: Sendable {
    /// The number of events buffered for a slow service.
    static let bound = 1024
    /// How long a service may take to handle its last events.
    static let grace: Duration = .seconds(5)
    /// The minimum and maximum pause before a restart.
    static let pauses: ClosedRange<Duration> = .seconds(1) ... .seconds(60)

    private let bus: EventBus
    private let events: EventSubscription
    private let clock: ElapsedClock
    /// Ended by ``end()``, which the owner of the service must call.
    private let task: Task<Void, Never>

    /// Starts a service, which receives the events from now on.
    ///
    /// - Parameters:
    ///   - declaration: The service; its plugin has been started.
    ///   - host: Handles its requests.
    ///   - bus: The source of its events.
    ///   - logger: Logs its failures.
    init(
        _ declaration: ServiceDeclaration, host: any ServiceHost, on bus: EventBus, logger: Logger
    ) {
        self.bus = bus
        let (service, name) = (declaration.plugin, declaration.name)
        let clock = ElapsedClock(host.clock)
        self.clock = clock
        events = bus.subscribe(to: service.wantedEvents, bound: Self.bound)
        let context = ServiceContext(name: name, logger: logger, events: events, host: host)
        task = Task {
            var pause = Self.pauses.lowerBound
            while !Task.isCancelled {
                let start = clock.elapsed
                do {
                    return try await PluginCall.run(on: clock) {
                        try await service.run(in: context)
                    }
                } catch  where Task.isCancelled {
                    return
                } catch {
                    let now = clock.elapsed
                    if now - start > Self.pauses.upperBound { pause = Self.pauses.lowerBound }
                    logger.error(
                        "\(name) failed and restarts in \(pause.components.seconds) s: \(error)")
                    await clock.wait(until: now + pause)
                    pause = min(pause * 2, Self.pauses.upperBound)
                }
            }
        }
    }

    /// Ends the service: its event stream finishes, and if it does not return soon, it is
    /// cancelled. A service that reads no events is cancelled immediately.
    func end() async {
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
        bus.unsubscribe(events)
    }
}

/// The running services of a master.
final class RunningServices: Service {
    private typealias Entry = (declaration: ServiceDeclaration, service: RunningService)

    private let running = Mutex<[Entry]>([])

    /// The services of a configuration that are not running yet.
    func newcomers(among declarations: [ServiceDeclaration]) -> [ServiceDeclaration] {
        running.withLock { running in
            declarations.filter { new in !running.contains { $0.declaration.isSame(as: new) } }
        }
    }

    /// Ends services that are no longer declared, and then starts the new ones.
    func follow(
        _ declarations: [ServiceDeclaration],
        starting newcomers: [(ServiceDeclaration, () -> RunningService)]
    ) async {
        let leaving = running.withLock { running in
            let leaving = running.filter { entry in
                !declarations.contains { $0.isSame(as: entry.declaration) }
            }
            running.removeAll { entry in leaving.contains { $0.service === entry.service } }
            return leaving
        }
        for entry in leaving.reversed() { await entry.service.end() }
        running.withLock { running in
            running += newcomers.map { (declaration: $0, service: $1()) }
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
    let master: Master
    let session: HTTPSession

    var secrets: SecretValues { master.environment.secrets }
    var clock: any Clock<Duration> { ContinuousClock() }
    var http: HTTPClient { master.environment.http }

    func submit(_ request: BuildsetRequest, saving state: JSONValue?) async throws -> Submission {
        var request = request
        if request.properties["scheduler"] == nil {
            request.properties.set("scheduler", .string(name), source: "Scheduler")
        }
        let text = state.map(stored)
        return try await master.submitForService(request) { [name] transaction in
            if let text { try transaction.keep(state: text, ofService: name) }
        }
    }

    func state() async throws -> JSONValue? {
        let text = try await master.environment.store.read { [name] database in
            try database.first(
                "SELECT state FROM service_state WHERE name = ?", [name]
            ) { $0[0] as String }
        }
        return try text.map { try JSONValue(parsing: $0) }
    }

    func save(_ state: JSONValue) async throws {
        let text = stored(state)
        try await master.environment.store.write { [name] transaction in
            try transaction.keep(state: text, ofService: name)
        }
    }

    private func stored(_ state: JSONValue) -> Masked<String> {
        master.environment.mask.masked(state).map { JSONWriter.compact.string($0) }
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
