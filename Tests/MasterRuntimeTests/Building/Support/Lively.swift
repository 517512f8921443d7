import MasterKit

/// A plugin that notifies a script when it starts and stops.
protocol Lively: Plugin {
    var script: String { get }
}

extension Lively {
    func start() async throws {
        try await Scripts.all.note(script, "\(Self.key) starts")
    }

    func stop() async {
        try? await Scripts.all.note(script, "\(Self.key) stops")
    }
}

struct LivelyStep: Step, Lively {
    static let summary = "Tells of its life."

    @Setting("Who is told.", .primary) var script: String

    func run(in context: StepContext) async throws -> Results {
        try await Scripts.all.note(script, "\(Self.key) runs")
        return .success
    }
}

struct LivelyReporter: Reporter, Lively {
    static let summary = "Tells of its life."

    @Setting("Who is told.", .primary) var script: String

    func send(_ report: Report, in context: DeliveryContext) async throws {}
}

struct LivelyGenerator: ReportGenerator, Lively {
    static let summary = "Tells of its life."

    @Setting("Who is told.", .primary) var script: String
    @Setting("Formats the message.", plugins: .formatters) var formatter: (any MessageFormatter)?

    var wantedEvents: Set<EventKind> { [] }

    func generate(for event: Event, in context: ReportContext) async throws -> Report? { nil }
}

struct LivelyFormatter: MessageFormatter, Lively {
    static let summary = "Tells of its life."

    @Setting("Who is told.", .primary) var script: String

    func format(_ topic: ReportTopic) -> Message { Message(.empty) }
}

struct LivelySecrets: SecretProvider, Lively {
    static let summary = "Tells of its life."

    @Setting("Who is told.", .primary) var script: String

    func value(of name: String, in context: SecretContext) async throws -> String? {
        try await Scripts.all.note(script, "\(Self.key) is asked")
        return "a long secret"
    }
}
