internal import FoundationEssentials
internal import GRDB
internal import Glibc
package import MasterKit
internal import Synchronization

/// Passes the requests of other processes on, once the master is ready for them.
final class ControlHandler: Sendable {
    /// The answer of a master that takes no commands.
    static let refusal = ControlError(
        "the master that is running here was started by 'run', which takes no commands; start one "
            + "with 'start'")

    private let handler = Mutex<ControlSocket.Handler?>(nil)
    private let opened = Signal()

    func open(_ handler: @escaping ControlSocket.Handler) {
        self.handler.withLock { $0 = handler }
        opened.raise()
    }

    func handle(_ request: ControlRequest, _ connection: ControlConnection) async {
        while !Task.isCancelled {
            if let handler = handler.withLock({ $0 }) {
                // For others that are about to wait.
                opened.raise()
                return await handler(request, connection)
            }
            await opened.wait()
        }
    }
}

extension Master {
    /// What the master is doing: builders with their running builds and pending requests, reporters
    /// with the deliveries that wait, schedulers with the times for which they wait, and what keeps
    /// plugins from their work.
    ///
    /// - Throws: ``StoreError``.
    package func status() async throws(StoreError) -> JSONObject {
        let file = current
        let found = try await environment.store.read { try MasterCounts(in: $0) }
        let declared = file.builders.map(\.name)
        let others = Set(found.pending.keys).union(found.running.keys).subtracting(declared)
        let waiting = Dictionary(
            submissions.distributor.waits.map { ($0.builder, $0.reason) },
            uniquingKeysWith: { one, _ in one })
        let waits = schedulerWaits
        var builders: [JSONValue] = []
        for name in declared + others.sorted() {
            let running = found.running[name, default: []].map { build in
                JSONValue.object([
                    "buildid": .int(build.id), "number": .int(build.number),
                    "started_at": .time(build.startedAt),
                ])
            }
            builders.append(
                .object([
                    "name": .string(name), "declared": .bool(file.builders[name] != nil),
                    "running": .array(running), "pending": .int(found.pending[name] ?? 0),
                    "waits_for": .optional(waiting[name]),
                ]))
        }
        let problems = deliveries.problems.mapValues { environment.mask.masked($0.onOneLine).value }
        let reporters = file.reporters.map { reporter in
            JSONValue.object([
                "name": .string(reporter.name),
                "waiting": .int(found.waiting[reporter.name] ?? 0),
                "closed": .bool(found.closed.contains(reporter.name)),
                "problem": .optional(problems[reporter.name]),
            ])
        }
        return [
            "configuration": .string(file.path), "basedir": .string(options.basedir),
            "title": .string(file.identity.title), "pid": .int(Int(getpid())),
            "generation": .int(environment.number),
            "builders": .array(builders), "reporters": .array(reporters),
            "services": .array(
                file.services.map { service in
                    [
                        "name": .string(service.name), "key": .string("\(service.key)"),
                        "problem": .optional(serviceProblems[ServiceProgram.stateName(service)]),
                    ]
                }),
            "change_sources": .array(
                file.changeSources.map { source in
                    [
                        "name": .string(source.name), "key": .string("\(source.key)"),
                        "problem": .optional(serviceProblems[ServiceProgram.stateName(source)]),
                    ]
                }),
            "schedulers": .array(
                file.schedulers.map { scheduler in
                    [
                        "name": .string(scheduler.name), "key": .string("\(scheduler.key)"),
                        "enabled": .bool(!found.disabled.contains(scheduler.name)),
                        "next_at": .time(waits[scheduler.name]?.until),
                        "waits_for": .optional(waits[scheduler.name]?.words),
                        "problem": .optional(serviceProblems[ServiceProgram.stateName(scheduler)]),
                    ]
                }),
            "workers": .array(workers.map { .object($0.json) }),
            "parked": .int(found.parked),
        ]
    }
}

extension Master {
    /// What keeps change sources from finding changes, by their names.
    package var sourceProblems: [(source: String, problem: String)] {
        current.changeSources.compactMap { source in
            serviceProblems[ServiceProgram.stateName(source)].map { (source.name, $0) }
        }
    }
}

extension Master {
    /// The number of pending requests by the names of their builders.
    ///
    /// - Throws: ``StoreError``.
    package func pendingCounts() async throws(StoreError) -> [String: Int] {
        try await environment.store.read { try MasterCounts.pendingCounts(in: $0) }
    }
}

/// Numbers of a master for monitoring.
package struct MasterMetrics: Sendable {
    /// The number of ended builds by the code of their result.
    package let builds: [Int: Int]
    /// How long these builds took together, in seconds.
    package let buildSeconds: Double
    /// When the oldest pending request was submitted, in seconds since 1970.
    package let oldestRequest: Double?
    /// The number of reports by state.
    package let deliveries: [String: Int]
    /// When the oldest report that is still to be sent was made, in seconds since 1970.
    package let oldestDelivery: Double?
    /// What the store has done since the master was started.
    package let store: StoreActivity
}

extension Master {
    /// Counts builds, requests and reports.
    ///
    /// - Throws: ``StoreError``.
    package func metrics() async throws(StoreError) -> MasterMetrics {
        let activity = environment.store.activity
        return try await environment.store.read { database in
            let builds: [(Int, Int, Double)] = try database.all(
                """
                SELECT results, count(*), total(complete_at - started_at) FROM build
                WHERE complete_at IS NOT NULL GROUP BY results
                """
            ) { ($0[0] ?? -1, $0[1], $0[2]) }
            // Each in an index, without reading the reports.
            let deliveries: [(String, Int)] = try database.all(
                """
                SELECT state, count(*) FROM delivery WHERE state IN ('delivered', 'nothing')
                GROUP BY state
                UNION ALL
                SELECT state, count(*) FROM delivery WHERE state IN ('open', 'parked', 'dead')
                GROUP BY state
                """
            ) { ($0[0], $0[1]) }
            let oldestDelivery: Double?? = try database.first(
                "SELECT min(since) FROM delivery WHERE state = 'open'"
            ) { $0[0] as Double? }
            let oldest: Double?? = try database.first(
                """
                SELECT min(submitted_at) FROM build_request
                WHERE claimed_at IS NULL AND complete_at IS NULL
                """
            ) { $0[0] as Double? }
            return MasterMetrics(
                builds: Dictionary(builds.map { ($0.0, $0.1) }, uniquingKeysWith: +),
                buildSeconds: builds.map(\.2).reduce(0, +),
                oldestRequest: oldest ?? nil,
                deliveries: Dictionary(deliveries, uniquingKeysWith: +),
                oldestDelivery: oldestDelivery ?? nil, store: activity)
        }
    }
}

/// What the store knows of running builds, pending requests and deliveries.
private struct MasterCounts: Sendable {
    /// The running builds by builder, oldest first.
    let running: [String: [Build]]
    /// The number of pending requests by builder.
    let pending: [String: Int]
    /// The number of reports to be sent by reporter.
    let waiting: [String: Int]
    /// The number of reports for reporters that are not in the file.
    let parked: Int
    /// The reporters whose endpoints are closed.
    let closed: Set<String>
    /// The schedulers that somebody has disabled.
    let disabled: Set<String>

    init(in database: Database) throws {
        var running: [String: [Build]] = [:]
        for build in try Build.unfinished(in: database) {
            let builder = try Builder.find(build.builderID, in: database)?.name ?? ""
            running[builder, default: []].append(build)
        }
        self.running = running
        pending = try Self.pendingCounts(in: database)
        waiting = try Self.counts(
            """
            SELECT reporter.name, count(*) FROM delivery
            JOIN reporter ON reporter.id = reporter_id WHERE state = 'open' GROUP BY reporter_id
            """, in: database)
        parked = try database.waitingCounts().parked
        disabled = Set(
            try database.all("SELECT name FROM scheduler WHERE NOT enabled") { $0[0] as String })
        closed = Set(try database.reporters().filter { $0.closedAt != nil }.map(\.name))
    }

    static func pendingCounts(in database: Database) throws -> [String: Int] {
        try counts(
            """
            SELECT builder.name, count(*) FROM build_request
            JOIN builder ON builder.id = builder_id
            WHERE claimed_at IS NULL AND complete_at IS NULL GROUP BY builder_id
            """, in: database)
    }

    private static func counts(_ query: String, in database: Database) throws -> [String: Int] {
        let rows: [(String, Int)] = try database.all(query) { ($0[0], $0[1]) }
        return Dictionary(rows, uniquingKeysWith: { one, _ in one })
    }
}
