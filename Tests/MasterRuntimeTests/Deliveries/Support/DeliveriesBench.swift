import FoundationEssentials
import GRDB
import Logging
import MasterHTTP
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// A store in its own folder, and everything else an outbox needs.
struct DeliveriesBench: Sendable {
    let folder: String
    let store: Store
    let http: HTTPClient
    let clock = ManualClock()
    let messages = RecordedMessages()
    var secrets = SecretValues()
    var schedule = RetrySchedule(jitter: 1...1)
    var bounds = DeliveryBounds()

    /// Runs a test with a new store, or with a copy of one as left by a crash.
    static func with<Value>(
        copyOf original: DeliveriesBench? = nil,
        _ body: (DeliveriesBench) async throws -> Value
    ) async throws -> Value {
        let folder = "/tmp/outbox-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if let original { try original.copyDatabase(to: folder) }
        let store = try await Store.open(folder: folder)
        let http = HTTPClient(HTTPClientConfiguration(environment: [:]))
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(
                try await body(DeliveriesBench(folder: folder, store: store, http: http)))
        } catch {
            outcome = .failure(error)
        }
        await http.shutdown()
        await store.close()
        try FileManager.default.removeItem(atPath: folder)
        return try outcome.get()
    }

    private func copyDatabase(to other: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasPrefix("buildmaster.sqlite") && !name.hasSuffix("-shm") {
            try FileManager.default.copyItem(
                atPath: "\(folder)/\(name)", toPath: "\(other)/\(name)")
        }
    }

    /// Opens an outbox that is not running yet, with the test's clock and without jitter.
    func open(_ reporters: ScriptedReporter...) async throws -> Deliveries {
        try await open(reporters)
    }

    func open(_ reporters: [ScriptedReporter]) async throws -> Deliveries {
        let messages = messages
        return try await Deliveries.open(
            reporters.map(\.declaration),
            in: DeliveryEnvironment(
                store: store, storeID: "test", identity: MasterIdentity(), secrets: secrets,
                http: http,
                logger: Logger(label: "outbox") { _ in messages.handler },
                clock: ElapsedClock(clock), schedule: schedule, bounds: bounds)
        )
    }

    /// Runs an outbox during a closure.
    func running<Value: Sendable>(
        _ reporters: ScriptedReporter...,
        body: (Deliveries) async throws -> Value
    ) async throws -> Value {
        try await Self.run(open(reporters), body)
    }

    /// Runs an outbox during a closure.
    static func run<Value: Sendable>(
        _ deliveries: Deliveries, _ body: (Deliveries) async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await deliveries.run() }
            defer { deliveries.stop() }
            return try await body(deliveries)
        }
    }

    /// Stores an event with a text.
    func happen(_ text: String, lane: Int = 1, kind: EventKind = .buildNew) async throws {
        try await store.write { transaction in
            try transaction.append(
                Event(at: transaction.now, kind: kind, lane: lane, record: ["text": .string(text)]))
        }
    }

    /// All deliveries as `reporter seq.part state attempts`, in the order of their events.
    func rows() async throws -> [String] {
        try await store.read { database in
            try database.all(
                """
                SELECT reporter.name, event_seq, part, state, attempts
                FROM delivery JOIN reporter ON reporter.id = reporter_id
                ORDER BY reporter.id, event_seq, part
                """
            ) { row in
                "\(row[0] as String) \(row[1] as Int).\(row[2] as Int) "
                    + "\(row[3] as String) \(row[4] as Int)"
            }
        }
    }

    /// Returns the single value of a query.
    func value<Value: DatabaseValueConvertible & Sendable>(
        _ sql: String, as type: Value.Type = Value.self
    ) async throws -> Value? {
        try await store.read { try Value.fetchOne($0, sql: sql) }
    }
}
