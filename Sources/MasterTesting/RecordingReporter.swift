public import MasterKit
import Synchronization

/// A reporter that keeps what it gets, for tests of what is reported, and fails as a test says.
///
/// ```swift
/// let reporter = try RecordingReporter.configured(["answers": ["retry", "ok"]])
/// …
/// #expect(reporter.recording.reports.map(\.results) == [nil, .success])
/// ```
///
/// In a file it is `reporters.RecordingReporter`. A `MasterHarness` collects what all of them get in
/// the recording of its run.
public struct RecordingReporter: Reporter {
    /// What the reporter does.
    public static let summary = "Keeps the reports it gets, for tests."

    /// How an attempt to send a report ends.
    public enum Answer: String, SettingEnumeration {
        /// The report is delivered.
        case ok
        /// The attempt fails and is retried.
        case retry
        /// The report is rejected.
        case reject
        /// The endpoint is permanently gone.
        case gone
        /// The reporter does not send this report.
        case skip
    }

    @Setting("How successive attempts end; those after the last one deliver.")
    var answers: [Answer] = []

    @Setting("The kinds of events to report.")
    var events = ["build.new", "build.finished"]

    /// What the reporter gets.
    public let recording: Recording

    /// Creates a reporter with a recording of its own.
    public init() {
        recording = Recording.current ?? Recording()
    }

    /// Rejects unknown kinds of events.
    public func check(_ settings: SettingsCheck) {
        for name in events where EventKind(rawValue: name) == nil {
            settings.error("there is no kind of event '\(name)'", at: "events")
        }
    }

    /// Reports the kinds of events in the setting `events`.
    public var defaultGenerators: [any ReportGenerator] {
        [RecordingGenerator(Set(events.compactMap { EventKind(rawValue: $0) }), recording)]
    }

    /// Keeps the report, and ends the attempt as the setting `answers` says.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        switch recording.add(report, context, answers) {
        case .ok: return
        case .retry: throw DeliveryError(.retry(after: nil), "the test asks for a retry")
        case .reject: throw DeliveryError(.reject, "the test rejects the report")
        case .skip: throw DeliveryError(.nothingToSend, "the test skips the report")
        case .gone: throw DeliveryError(.endpointGone, "the test says that the endpoint is gone")
        }
    }
}

/// What a ``RecordingReporter`` gets.
public final class Recording: Sendable {
    /// An attempt to send a report.
    public struct Attempt: Sendable {
        /// The report.
        public let report: Report
        /// The id of the delivery, the same for every attempt.
        public let id: String
        /// The number of the attempt, starting at 1.
        public let number: Int
        /// How it ended.
        public let answer: RecordingReporter.Answer
    }

    private struct State {
        var attempts: [Attempt] = []
        var events: [Event] = []
    }

    /// The recording of reporters that are created from a file.
    @TaskLocal package static var current: Recording?

    private let state = Mutex(State())

    /// Creates an empty recording.
    public init() {}

    /// All attempts, in order.
    public var attempts: [Attempt] { state.withLock(\.attempts) }

    /// The delivered reports, in order.
    public var reports: [Report] { attempts.filter { $0.answer == .ok }.map(\.report) }

    /// The events that were reported, in order.
    public var events: [Event] { state.withLock(\.events) }

    fileprivate func add(
        _ report: Report, _ context: DeliveryContext, _ answers: [RecordingReporter.Answer]
    ) -> RecordingReporter.Answer {
        state.withLock { state in
            let count = state.attempts.count
            let answer = answers.indices.contains(count) ? answers[count] : .ok
            state.attempts.append(
                Attempt(report: report, id: context.id, number: context.attempt, answer: answer))
            return answer
        }
    }

    fileprivate func add(_ event: Event) {
        state.withLock { $0.events.append(event) }
    }
}

/// Reports every event of some kinds, and keeps them.
private struct RecordingGenerator: ReportGenerator {
    static let summary = "Reports every event of some kinds."

    var wantedEvents: Set<EventKind> = []
    private var recording = Recording()

    init() {}

    init(_ kinds: Set<EventKind>, _ recording: Recording) {
        wantedEvents = kinds
        self.recording = recording
    }

    func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        recording.add(event)
        return try await context.report()
    }
}
