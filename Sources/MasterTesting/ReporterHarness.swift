public import MasterKit
import Synchronization

/// Generates and sends the reports of a reporter without a master; HTTP is real, builds are
/// samples.
///
/// ```swift
/// let harness = try ReporterHarness()
/// let reporter = try HttpStatusPush.configured(["serverUrl": "http://127.0.0.1:\(port)/"])
/// for report in try await harness.reports(of: reporter, for: RecordedBuild().finished) {
///     try await harness.send(report, through: reporter)
/// }
/// ```
public struct ReporterHarness: Sendable {
    /// The messages that the reporter logs.
    public let log = RecordedMessages()
    private let http: HTTPClient
    private let session: HTTPSession
    private let secrets: SecretValues
    private let identity: MasterIdentity

    /// Creates a harness.
    ///
    /// - Parameters:
    ///   - secrets: The values of secrets by name.
    ///   - identity: The identity of the master.
    ///   - http: The client for requests; by default a new one that ignores proxies in the
    ///     environment.
    /// - Throws: An error if the system cannot provide a thread or memory for the client.
    public init(
        secrets: [String: String] = [:], identity: MasterIdentity = MasterIdentity(),
        http: HTTPClient? = nil
    ) throws {
        self.http = http ?? HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = self.http.makeSession()
        self.secrets = SecretValues(secrets)
        self.identity = identity
    }

    /// Returns the reports that a reporter's generators produce for an event, in order.
    ///
    /// - Parameters:
    ///   - reporter: The reporter.
    ///   - event: The event.
    ///   - build: The build of the event.
    ///   - generators: The generators; by default the reporter's own.
    /// - Returns: The reports.
    /// - Throws: What a generator or formatter throws.
    public func reports(
        of reporter: some Reporter, for event: Event, of build: RecordedBuild = RecordedBuild(),
        generators: [any ReportGenerator]? = nil
    ) async throws -> [Report] {
        try await reports(of: reporter, for: event, from: build, generators: generators)
    }

    /// Returns the reports that a reporter's generators produce for the event of a buildset, in order.
    ///
    /// - Parameters:
    ///   - reporter: The reporter.
    ///   - event: The event.
    ///   - buildset: The buildset of the event.
    ///   - generators: The generators; by default the reporter's own.
    /// - Returns: The reports.
    /// - Throws: What a generator or formatter throws.
    public func reports(
        of reporter: some Reporter, for event: Event, of buildset: RecordedBuildset,
        generators: [any ReportGenerator]? = nil
    ) async throws -> [Report] {
        try await reports(of: reporter, for: event, from: buildset, generators: generators)
    }

    package func reports(
        of reporter: some Reporter, for event: Event, from source: any ReportSource,
        generators: [any ReportGenerator]?
    ) async throws -> [Report] {
        let log = log
        var reports: [Report] = []
        for generator in generators ?? reporter.defaultGenerators
        where generator.wantedEvents.contains(event.kind) {
            let context = ReportContext(
                event: event, formatter: reporter.defaultFormatter, uses: reporter.needs,
                master: identity,
                logger: Logger(label: "reporter") { _ in log.handler }, source: source)
            if let report = try await generator.generate(for: event, in: context) {
                reports.append(report)
            }
        }
        return reports
    }

    /// Sends a report.
    ///
    /// - Returns: The request and the response.
    /// - Throws: The reporter's error if the report was not delivered.
    @discardableResult
    public func send(
        _ report: Report, through reporter: some Reporter, id: String = "msg_test_1_1_0",
        attempt: Int = 1
    ) async throws -> DeliveryTrace {
        let log = log
        let context = DeliveryContext(
            id: id, attempt: attempt, logger: Logger(label: "reporter") { _ in log.handler },
            secrets: secrets, mask: secrets.mask, http: http, session: session)
        let secrets = secrets
        try await reporter.send(report.replacingSecretMarks { secrets[$0] ?? "" }, in: context)
        return context.trace
    }
}

/// Log messages in memory.
public final class RecordedMessages: Sendable {
    private typealias Message = (level: Logger.Level, text: String, metadata: Logger.Metadata)

    private let state = Mutex<[Message]>([])

    /// Creates an empty record.
    public init() {}

    /// All messages, in order.
    public var texts: [String] { state.withLock { $0.map(\.text) } }

    /// All messages with their metadata, such as `it broke (service=Chain)`.
    package var lines: [String] {
        state.withLock { messages in
            messages.map { message in
                let pairs = message.metadata.sorted { $0.key < $1.key }
                let words = pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
                return words.isEmpty ? message.text : "\(message.text) (\(words))"
            }
        }
    }

    /// The messages of one level, in order.
    public func texts(at level: Logger.Level) -> [String] {
        state.withLock { $0.filter { $0.level == level }.map(\.text) }
    }

    /// A handler that records messages of every level here.
    public var handler: any LogHandler { Handler(record: self) }

    private func add(_ text: String, at level: Logger.Level, _ metadata: Logger.Metadata) {
        state.withLock { $0.append((level, text, metadata)) }
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
            record.add("\(event.message)", at: event.level, metadata)
        }
    }
}
