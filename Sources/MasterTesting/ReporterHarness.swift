public import MasterKit
import Synchronization

/// Makes and sends the reports of a reporter without a master: HTTP is real, builds are made up.
///
/// ```swift
/// let harness = try ReporterHarness()
/// let reporter = try HttpStatusPush.configured(["serverUrl": "http://127.0.0.1:\(port)/"])
/// for report in try await harness.reports(of: reporter, for: RecordedBuild().finished) {
///     try await harness.send(report, through: reporter)
/// }
/// ```
public struct ReporterHarness: Sendable {
    /// Keeps what the reporter logs.
    public let log = RecordedMessages()
    private let http: HTTPClient
    private let session: HTTPSession
    private let secrets: SecretValues
    private let identity: MasterIdentity

    /// Makes a harness.
    ///
    /// - Parameters:
    ///   - secrets: The values of secrets by name.
    ///   - identity: What the master is called.
    ///   - http: The client for requests; by default one of the harness's own, which takes no
    ///     proxy from the environment.
    /// - Throws: When the system has no thread or memory for the client.
    public init(
        secrets: [String: String] = [:], identity: MasterIdentity = MasterIdentity(),
        http: HTTPClient? = nil
    ) throws {
        self.http = try http ?? HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = try self.http.makeSession()
        self.secrets = SecretValues(secrets)
        self.identity = identity
    }

    /// The reports that a reporter's generators make of an event of a build, in order.
    ///
    /// - Parameters:
    ///   - reporter: The reporter.
    ///   - event: The event.
    ///   - source: What is looked up beside the event, such as the build it is of.
    ///   - generators: The generators; by default the reporter's own.
    /// - Returns: The reports.
    /// - Throws: What a generator or formatter throws.
    public func reports(
        of reporter: some Reporter, for event: Event, of source: any ReportSource = RecordedBuild(),
        generators: [any ReportGenerator]? = nil
    ) async throws -> [Report] {
        let log = log
        var reports: [Report] = []
        for generator in generators ?? reporter.defaultGenerators
        where generator.wantedEvents.contains(event.kind) {
            let context = ReportContext(
                event: event, formatter: reporter.defaultFormatter, master: identity,
                logger: Logger(label: "reporter") { _ in log.handler }, source: source)
            if let report = try await generator.generate(for: event, in: context) {
                reports.append(report)
            }
        }
        return reports
    }

    /// Sends a report.
    ///
    /// - Returns: What was sent and answered.
    /// - Throws: What the reporter throws when the report was not delivered.
    @discardableResult
    public func send(
        _ report: Report, through reporter: some Reporter, id: String = "msg_test_1_1_0",
        attempt: Int = 1
    ) async throws -> DeliveryTrace {
        let log = log
        let context = DeliveryContext(
            id: id, attempt: attempt, logger: Logger(label: "reporter") { _ in log.handler },
            secrets: secrets, mask: secrets.mask, http: http, session: session)
        try await reporter.send(report, in: context)
        return context.trace
    }
}

/// What was logged, kept in memory.
public final class RecordedMessages: Sendable {
    private let state = Mutex<[(level: Logger.Level, text: String)]>([])

    /// Makes an empty record.
    public init() {}

    /// All messages, in order.
    public var texts: [String] { state.withLock { $0.map(\.text) } }

    /// The messages of one level, in order.
    public func texts(at level: Logger.Level) -> [String] {
        state.withLock { $0.filter { $0.level == level }.map(\.text) }
    }

    /// Takes messages of every level for this record.
    public var handler: any LogHandler { Handler(record: self) }

    private func add(_ text: String, at level: Logger.Level) {
        state.withLock { $0.append((level, text)) }
    }

    private struct Handler: LogHandler {
        let record: RecordedMessages
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            record.add("\(event.message)", at: event.level)
        }
    }
}
