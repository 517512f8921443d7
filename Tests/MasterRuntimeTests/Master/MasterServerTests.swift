import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// When the servers of a master are prepared, put in force and stopped.
@Suite(.timeLimit(.minutes(1)))
struct MasterServerTests {
    private struct NoPort: Error, CustomStringConvertible { let description = "port 80 is in use" }

    /// A server that notes its calls, and cannot be prepared for some titles.
    private struct NotingServer: MasterServer {
        let name: String
        let journal: Journal<String>
        var fails: Set<String> = []

        func prepare(
            _ configuration: MasterConfiguration, _ secrets: SecretValues, for master: Master
        ) async throws -> any PreparedServer {
            let title = configuration.identity.title
            guard !fails.contains(title) else { throw NoPort() }
            journal.add("\(name) prepares \(title)")
            return Prepared(name: "\(name)", title: title, journal: journal)
        }

        func stop() async { journal.add("\(name) stops") }
    }

    private struct Prepared: PreparedServer {
        let name: String
        let title: String
        let journal: Journal<String>

        func apply() async { journal.add("\(name) applies \(title)") }
        func discard() async { journal.add("\(name) discards \(title)") }
    }

    private static let steps = "steps: [steps.SetProperty: {property: p, value: 1}]\n"

    private static func file(_ title: String, _ rest: String = "") -> String {
        "title: \(title)\n\(rest)\(steps)"
    }

    @Test func `servers follow the configuration, and stop in reverse order`() async throws {
        let journal = Journal<String>()
        let servers = ["one", "two"].map { NotingServer(name: $0, journal: journal) }
        try await MasterBench.with(Self.file("A")) { bench in
            try await bench.run(servers: servers) { master in
                journal.add("ready")
                _ = try await bench.reconfigure(master, Self.file("B"))
            }
        }
        #expect(
            journal.entries == [
                "one prepares A", "two prepares A", "one applies A", "two applies A", "ready",
                "one prepares B", "two prepares B", "one applies B", "two applies B", "two stops",
                "one stops",
            ])
    }

    @Test func `a server that can't be prepared leaves everything as it was`() async throws {
        let journal = Journal<String>()
        let servers = [
            NotingServer(name: "one", journal: journal),
            NotingServer(name: "two", journal: journal, fails: ["B"]),
        ]
        try await MasterBench.with(Self.file("A")) { bench in
            try await bench.run(servers: servers) { master in
                await #expect(throws: NoPort.self) {
                    try await bench.reconfigure(master, Self.file("B"))
                }
                #expect(master.current.identity.title == "A")
                _ = try await bench.reconfigure(master, Self.file("C"))
                #expect(master.current.identity.title == "C")
            }
        }
        #expect(
            journal.entries.filter { $0.contains("B") } == ["one prepares B", "one discards B"])
    }

    @Test func `a master whose server can't be prepared does not run`() async throws {
        let journal = Journal<String>()
        let servers = [NotingServer(name: "one", journal: journal, fails: ["A"])]
        try await MasterBench.with(Self.file("A")) { bench in
            await #expect(throws: NoPort.self) {
                try await bench.run(servers: servers) { _ in journal.add("ready") }
            }
            #expect(journal.entries == ["one stops"])
        }
    }
}
