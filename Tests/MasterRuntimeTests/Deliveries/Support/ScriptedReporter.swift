@testable import MasterKit
@testable import MasterRuntime

/// A reporter that runs a closure of the test.
struct ScriptedReporter: Reporter {
    static let summary = "Does what a test says."

    var name = "scripted"
    var defaultGenerators: [any ReportGenerator] = [ScriptedGenerator()]
    var address: String?
    var deliver: @Sendable (Report, DeliveryContext) async throws -> Void = { _, _ in }

    init() {}

    init(
        _ name: String = "scripted", generators: [ScriptedGenerator] = [ScriptedGenerator()],
        deliver: @escaping @Sendable (Report, DeliveryContext) async throws -> Void = { _, _ in }
    ) {
        self.name = name
        self.deliver = deliver
        defaultGenerators = generators
    }

    /// Creates a reporter that records the text of each report.
    init(_ name: String = "scripted", into journal: Journal<String>) {
        self.init(name) { report, _ in journal.add(report.text) }
    }

    func send(_ report: Report, in context: DeliveryContext) async throws {
        try await deliver(report, context)
    }

    func receiver(in context: DeliveryContext) throws -> String? { address }

    var declaration: ReporterDeclaration {
        PluginDeclaration(
            key: PluginKey("reporters", name), plugin: self, options: ReporterOptions(), range: nil)
    }
}

/// A generator that runs a closure of the test; by default it reports the event's text.
struct ScriptedGenerator: ReportGenerator {
    static let summary = "Makes what a test says."

    var wantedEvents: Set<EventKind> = [.buildNew, .buildFinished]
    var make: @Sendable (Event) async throws -> Report? = { event in
        Report(body: .json(["text": event.record["text"] ?? .null]))
    }

    init() {}

    init(
        _ wantedEvents: Set<EventKind> = [.buildNew, .buildFinished],
        _ make: @escaping @Sendable (Event) async throws -> Report?
    ) {
        self.wantedEvents = wantedEvents
        self.make = make
    }

    func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        try await make(event)
    }
}

extension Report {
    /// The text of a report from a `ScriptedGenerator`.
    var text: String {
        guard case .json(let value) = body else { return "" }
        return value["text"]?.stringValue ?? ""
    }

    /// Creates a report with a text.
    static func saying(_ text: String) -> Report {
        Report(body: .json(["text": .string(text)]))
    }
}

/// Waits until the task is cancelled, like a receiver that never responds.
func hang() async throws {
    await Signal().wait()
    throw CancellationError()
}
