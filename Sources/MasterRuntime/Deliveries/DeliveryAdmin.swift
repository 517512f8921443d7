import FoundationEssentials
import GRDB

/// Where people look at deliveries and decide what becomes of them, whether a master runs or not.
///
/// Only rows are changed; a master that uses the folder at that time is told so.
public final class DeliveryAdmin: Sendable {
    private let database: DatabaseQueue
    private let path: String
    private let folder: String

    private init(_ database: DatabaseQueue, path: String, folder: String) {
        self.database = database
        self.path = path
        self.folder = folder
    }

    /// Runs a body with the deliveries of a folder; nothing is made that is not there.
    ///
    /// - Parameters:
    ///   - folder: The base folder of a master.
    ///   - body: What is done; it gets `nil` when no master has ever used the folder.
    /// - Returns: What the body returns.
    /// - Throws: ``StoreError``, or what the body throws.
    public static func with<Value>(
        folder: String, _ body: (DeliveryAdmin?) async throws -> Value
    ) async throws -> Value {
        let path = folder + "/" + StoreOpening.fileName
        guard FileManager.default.fileExists(atPath: path) else { return try await body(nil) }
        let database = try await Self.open(path, in: folder)
        return try await body(DeliveryAdmin(database, path: path, folder: folder))
    }

    private static func open(_ path: String, in folder: String) async throws -> DatabaseQueue {
        try await blocking(path) {
            let place = StoreFolder(path: folder)
            guard try place.secureDatabase().byteCount ?? 0 > 0 else {
                throw StoreError(empty: path)
            }
            var configuration = Configuration()
            configuration.busyMode = .timeout(10)
            configuration.label = "deliveries"
            let database = try DatabaseQueue(path: path, configuration: configuration)
            let migrator = StoreSchema.migrator
            try StoreSchema.check(database, at: path)
            if try database.read({ try !migrator.hasCompletedMigrations($0) }) {
                // An older master that runs now must not find a table changed.
                let lock = try StoreLock(place)
                defer { lock.release() }
                try migrator.migrate(database)
            }
            return database
        }
    }

    /// Everything here waits for the disk, and perhaps for the master that uses it.
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

    /// How many deliveries are read at once.
    private static let pageLimit = 500

    /// Goes through the deliveries that a filter lets through, in the order in which they were
    /// made; no more than a page of them is in memory.
    ///
    /// The store is not held meanwhile, so that the body may take as long as it likes.
    public func forEachPage(
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

    /// All that is known of a delivery; `nil` when there is none.
    public func details(of id: Int) async throws -> DeliveryDetails? {
        try await Self.blocking(path) { [database] in
            try database.read { database in
                let store = try String.fetchOne(database, sql: "SELECT store_id FROM meta") ?? ""
                return try database.details(ofDelivery: id, store: store)
            }
        }
    }

    /// All reporters that were ever configured, by their names.
    public func reporters() async throws -> [ReporterRecord] {
        try await Self.blocking(path) { [database] in
            try database.read { try $0.reporters() }
        }
    }

    // MARK: Deciding

    /// Lets reports be tried again, at once if a master runs and else by the next run.
    ///
    /// - Returns: What they were, by reporter; those without a body are left as they are.
    public func retry(_ filter: DeliveryFilter) async throws -> [DeliveryCount] {
        var filter = filter
        filter.isRetryable = true
        return try await change { [filter] database in
            let counts = try database.counts(filter)
            _ = try database.retryDeliveries(database.deliveryIDs(filter), now: Date())
            return counts
        }
    }

    /// Gives reports up for good, so that they are no longer listed either.
    ///
    /// - Returns: How many there were; those that were delivered are left as they are.
    public func drop(_ filter: DeliveryFilter) async throws -> Int {
        try await change { try $0.dropDeliveries($0.deliveryIDs(filter)) }
    }

    /// Opens the endpoint of a reporter again that said it was gone.
    ///
    /// - Returns: Whether it was closed; `nil` when there is no such reporter.
    public func resume(reporter name: String) async throws -> Bool? {
        try await change { database in
            let id = try database.number("SELECT id FROM reporter WHERE name = ?", [name])
            return try id.map { try database.resumeReporter($0) }
        }
    }

    /// Changes rows in a transaction, and tells the master that uses the folder.
    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await Self.blocking(path) { [database, folder] in
            let value = try database.write(body)
            _ = ControlSocket.send(.deliveriesChanged, to: folder)
            return value
        }
    }
}

/// Which deliveries are meant; without any condition all of them.
public struct DeliveryFilter: Sendable, Hashable {
    /// Those of these numbers.
    public var ids: [Int]?
    /// Those of this reporter.
    public var reporter: String?
    /// Those in one of these states.
    public var states: Set<DeliveryState>?
    /// Those about builds of this builder.
    public var builder: String?
    /// Those about builds of this number.
    public var buildNumber: Int?
    /// Those alone that can be sent again: whose report is kept and was tried before.
    var isRetryable = false

    /// Makes a filter.
    public init(
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

/// How many deliveries of a reporter are in a state.
public struct DeliveryCount: Sendable, Hashable {
    /// The name of the reporter.
    public let reporter: String
    /// The state.
    public let state: DeliveryState
    /// Whether nothing is sent to the reporter's endpoint.
    public let isReporterClosed: Bool
    /// How many there are.
    public let count: Int
}
