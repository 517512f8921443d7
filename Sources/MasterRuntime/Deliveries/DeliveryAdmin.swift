package import FoundationEssentials
import GRDB
package import MasterKit

/// Lets users inspect and change deliveries, whether or not a master is running.
///
/// Only rows are changed; a running master that uses the folder is notified.
package final class DeliveryAdmin: Sendable {
    private let database: DatabaseQueue
    private let path: String
    private let folder: String

    private init(_ database: DatabaseQueue, path: String, folder: String) {
        self.database = database
        self.path = path
        self.folder = folder
    }

    /// Runs a closure with the deliveries of a folder, without creating anything that does not
    /// exist.
    ///
    /// - Parameters:
    ///   - folder: The base folder of a master.
    ///   - body: The closure; it receives `nil` if no master has ever used the folder.
    /// - Returns: What the closure returns.
    /// - Throws: ``StoreError``, or what the closure throws.
    package static func with<Value>(
        folder: String, _ body: (DeliveryAdmin?) async throws -> Value
    ) async throws -> Value {
        let path = folder + "/" + StoreOpening.fileName
        guard try StoreFolder(path: folder).hasStore() else { return try await body(nil) }
        let database = try await Self.open(path, in: folder)
        return try await body(DeliveryAdmin(database, path: path, folder: folder))
    }

    private static func open(_ path: String, in folder: String) async throws -> DatabaseQueue {
        try await blocking(path) {
            try StoreOpening.existing(path, in: StoreFolder(path: folder), label: "deliveries")
        }
    }

    /// Runs blocking work, which waits for the disk and possibly for the master that uses it.
    private static func blocking<Value: Sendable>(
        _ path: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        do {
            return try await OwnThread.run(body)
        } catch {
            throw StoreError(reading: error, at: path)
        }
    }

    // MARK: Looking

    /// The number of deliveries read at once.
    private static let pageLimit = 500

    /// Iterates over the deliveries that match a filter, in the order in which they were created,
    /// with only one page in memory.
    ///
    /// The database is not locked while the closure runs, so it may take any amount of time.
    package func forEachPage(
        of filter: DeliveryFilter, _ body: ([DeliveryRecord]) async throws -> Void
    ) async throws {
        var last = 0
        while true {
            let page = try await Self.blocking(path) { [database, last] in
                try database.read { try $0.deliveries(filter, after: last, limit: Self.pageLimit) }
            }
            guard let end = page.last else { return }
            try await body(page)
            guard page.count == Self.pageLimit else { return }
            last = end.id
        }
    }

    /// All details of a delivery, or `nil` if it does not exist.
    package func details(of id: Int) async throws -> DeliveryDetails? {
        try await Self.blocking(path) { [database] in
            try database.read { database in
                let store = try String.fetchOne(database, sql: "SELECT store_id FROM meta") ?? ""
                return try database.details(ofDelivery: id, store: store)
            }
        }
    }

    /// All reporters that have ever been configured, by name.
    package func reporters() async throws -> [ReporterRecord] {
        try await Self.blocking(path) { [database] in
            try database.read { try $0.reporters() }
        }
    }

    // MARK: Deciding

    /// Schedules reports to be retried: immediately if a master is running, otherwise in the next
    /// run.
    ///
    /// - Returns: The number of affected deliveries by reporter; those without a stored body are
    ///   left unchanged.
    package func retry(_ filter: DeliveryFilter) async throws -> [DeliveryCount] {
        var filter = filter
        filter.isRetryable = true
        return try await change { [filter] database in
            let counts = try database.counts(filter)
            _ = try database.retryDeliveries(database.deliveryIDs(filter), now: Date())
            return counts
        }
    }

    /// Gives reports up permanently; they are no longer listed.
    ///
    /// - Returns: The number of affected reports; delivered ones are left unchanged.
    package func drop(_ filter: DeliveryFilter) async throws -> Int {
        try await change { try $0.dropDeliveries($0.deliveryIDs(filter)) }
    }

    /// Reopens the closed endpoint of a reporter.
    ///
    /// - Returns: Whether it was closed, or `nil` if there is no such reporter.
    package func resume(reporter name: String) async throws -> Bool? {
        try await change { database in
            let id = try database.number("SELECT id FROM reporter WHERE name = ?", [name])
            return try id.map { try database.resumeReporter($0) }
        }
    }

    /// Changes rows in a transaction, and notifies the master that uses the folder.
    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await Self.blocking(path) { [database, folder] in
            let value = try database.write(body)
            ControlSocket.send(.deliveriesChanged, to: folder)
            return value
        }
    }
}

/// Selects deliveries; without any condition, all of them.
package struct DeliveryFilter: Sendable, Hashable {
    /// Deliveries with these ids.
    package var ids: [Int]?
    /// Deliveries of this reporter.
    package var reporter: String?
    /// Deliveries in any of these states.
    package var states: Set<DeliveryState>?
    /// Deliveries about builds of this builder.
    package var builder: String?
    /// Deliveries about builds with this number.
    package var buildNumber: Int?
    /// Only deliveries that can be retried: whose report is stored and has been attempted.
    var isRetryable = false

    /// Creates a filter.
    package init(
        ids: [Int]? = nil, reporter: String? = nil, states: Set<DeliveryState>? = nil,
        builder: String? = nil, buildNumber: Int? = nil
    ) {
        self.ids = ids
        self.reporter = reporter
        self.states = states
        self.builder = builder
        self.buildNumber = buildNumber
    }
}

/// The number of a reporter's deliveries in a state.
package struct DeliveryCount: Sendable, Hashable {
    /// The name of the reporter.
    package let reporter: String
    /// The state.
    package let state: DeliveryState
    /// Whether nothing is sent to the reporter's endpoint.
    package let isReporterClosed: Bool
    /// The number of deliveries.
    package let count: Int
}

/// A delivery as stored.
package struct DeliveryRecord: Sendable, Hashable {
    /// The id, by which users refer to it.
    package let id: Int
    /// The name of the reporter.
    package let reporter: String
    /// The subject of the report: `linux #3 success`, `linux #3 compile started`, `linux request 7
    /// new`.
    package let subject: String
    /// The state.
    package let state: DeliveryState
    /// The number of attempts.
    package let attempts: Int
    /// The HTTP status of the last response.
    package let status: Int?
    /// When its retry schedule began: when it was created, or last scheduled for a retry by a user.
    package let since: Date
    /// When it is retried next, if the program is running.
    package let nextTry: Date?
    /// Why it was not delivered.
    package let error: String?
    /// The kind of event, such as `build.finished`; `nil` if the event is no longer stored.
    package let event: String?
    /// The builder of the build that it is about.
    package let builder: String?
    /// The number of that build.
    package let buildNumber: Int?
    /// The size of the stored report in bytes.
    package let byteCount: Int
}

/// The status of a delivery, to be shown to users.
package struct DeliveryStatus: Sendable, Hashable {
    /// The id of the delivery.
    package let id: Int
    /// The name of the reporter.
    package let reporter: String
    /// The subject of the report: `default #3 started`, `default #3 success`.
    package let subject: String
    /// The URL of the receiver, without user and password; `nil` if it was not contacted in this
    /// run.
    package let receiver: String?
    /// The state.
    package let state: DeliveryState
    /// The HTTP status of the last response.
    package let status: Int?
    /// The number of attempts.
    package let attempts: Int
    /// When it is retried next; `nil` if it is not.
    package let nextTry: Date?
    /// Why it was not delivered.
    package let error: String?
    /// Whether it is left over from an earlier run.
    package let isFromEarlierRun: Bool
}

/// All details of a delivery.
package struct DeliveryDetails: Sendable, Hashable {
    /// The delivery.
    package let record: DeliveryRecord
    /// Its id for the receiver, the same for every attempt.
    package let webhookID: String
    /// The body of each request; `nil` if it is no longer stored.
    package let body: Report.Body?
    /// The latest attempts, in order.
    package let tries: [DeliveryTry]
}

/// One attempt of a delivery.
package struct DeliveryTry: Sendable, Hashable {
    /// The number of the attempt, from 1.
    package let number: Int
    /// When it began.
    package let at: Date
    /// How long it took.
    package let duration: Duration
    /// The HTTP status of the response, if there was one.
    package let status: Int?
    /// Why the report was not delivered.
    package let error: String?
    /// The beginning of the response body.
    package let responseText: String?
}

/// A summary of the deliveries at the end of a run.
package struct DeliverySummary: Sendable {
    /// The maximum number of listed deliveries.
    package static let listLimit = 40

    /// The deliveries of the run, and then those of earlier runs that it attempted or that are
    /// pending; of more than ``listLimit`` of the run, the first undelivered ones.
    package var deliveries: [DeliveryStatus] = []
    /// The number of those deliveries that are of earlier runs by state, listed or not.
    package var earlierCounts: [DeliveryState: Int] = [:]
    /// The number of reports delivered in this run.
    package var deliveredCount = 0
    /// The number of reports still to be sent.
    package var openCount = 0
    /// The number of reports parked for reporters that are not configured.
    package var parkedCount = 0
    /// The number of reports given up in this run.
    package var deadCount = 0
    /// The number of reports that their reporters did not send in this run.
    package var nothingCount = 0
    /// The number of events whose reports have not been generated yet.
    package var unreportedCount = 0
    /// Reports that were given up and are not in an earlier summary, by reporter and reason.
    package var givenUp: [GivenUpReports] = []
    /// The number of further such reports.
    package var otherGivenUpCount = 0
    /// The configured reporters whose endpoints are closed.
    package var closedReporters: [ReporterRecord] = []

    /// The total number of deliveries, listed or not.
    package var totalCount: Int {
        deliveredCount + openCount + parkedCount + deadCount + nothingCount
    }
}

/// Reports of one reporter that were given up for the same reason.
package struct GivenUpReports: Sendable, Hashable {
    /// The name of the reporter.
    package let reporter: String
    /// The reason, as a sentence.
    package let reason: String
    /// The number of reports.
    package let count: Int
}

/// A reporter as stored.
package struct ReporterRecord: Sendable, Hashable {
    /// The name.
    package let name: String
    /// When its endpoint was reported as permanently gone; `nil` while it is open.
    package let closedAt: Date?
    /// The reason given by the endpoint.
    package let closedReason: String?
}

/// Changes that users make to deliveries; a running master applies them when notified.
extension Database {
    /// Counts a change for the master to notice.
    ///
    /// - Returns: The value for `changed` in the affected rows.
    func noteChange() throws -> Int {
        try run("UPDATE meta SET changes = changes + 1")
        return try changeCount()
    }

    /// Schedules reports to be retried immediately, and restarts their retry schedule.
    ///
    /// - Returns: The number of affected reports; those whose body is no longer stored are left
    ///   unchanged.
    func retryDeliveries(_ ids: [Int], now: Date) throws -> Int {
        try change(ids) { id, count in
            try run(
                """
                UPDATE delivery SET state = iif(state = 'parked', 'parked', 'open'), since = ?,
                    tries_before = attempts, next_at = NULL, not_before = NULL, ended_at = NULL, told = 0,
                    changed = ?
                \(DeliveryState.isKept) AND id = ? AND report IS NOT NULL
                    AND (state <> 'open' OR attempts > 0)
                """,
                [now.stored, count, id]
            )
        }
    }

    /// Gives reports up permanently.
    ///
    /// - Returns: The number of affected reports; delivered ones are left unchanged.
    func dropDeliveries(_ ids: [Int]) throws -> Int {
        try change(ids) { id, count in
            try run(
                """
                UPDATE delivery SET state = 'nothing', report = NULL, bytes = 0, next_at = NULL,
                    error = NULL, changed = ?
                \(DeliveryState.isKept) AND id = ?
                """,
                [count, id]
            )
        }
    }

    /// Reopens the endpoint of a reporter.
    ///
    /// - Returns: Whether it was closed.
    func resumeReporter(_ id: Int) throws -> Bool {
        try run(
            """
            UPDATE reporter SET closed_at = NULL, closed_reason = NULL, closed_receiver = NULL
            WHERE id = ? AND closed_at IS NOT NULL
            """,
            [id]
        )
        let wasClosed = changesCount > 0
        if wasClosed { _ = try noteChange() }
        return wasClosed
    }

    private func change(_ ids: [Int], _ change: (_ id: Int, _ count: Int) throws -> Void) throws
        -> Int
    {
        guard !ids.isEmpty else { return 0 }
        let count = try noteChange()
        return try ids.reduce(0) { sum, id in
            try change(id, count)
            return sum + changesCount
        }
    }
}
