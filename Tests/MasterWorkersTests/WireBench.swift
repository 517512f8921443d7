import FoundationEssentials
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterRuntime
@testable import MasterWorkers

/// A master whose workers a test plays itself.
struct WireBench: Sendable {
    let master: Master
    let endpoint: WorkerEndpoint
    let messages: RecordedMessages
    let folder: TemporaryFolder

    /// The folder that the worker says it has.
    var basedir: String { folder.path + "/w1" }

    var port: Int {
        get throws { try #require(endpoint.port) }
    }

    static func with(
        _ file: String, duplicateTime: Duration = .seconds(10),
        _ body: @Sendable (WireBench) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            let messages = RecordedMessages()
            let logger = Logger(label: "test") { _ in messages.handler }
            let endpoint = WorkerEndpoint(logger: logger, duplicateTime: duplicateTime)
            var options = Master.Options(
                basedir: "\(folder.path)/base", slots: 1, resumesRequests: true)
            options.servers = [endpoint]
            try await Master.run(
                try configuration(file, in: folder), SecretValues(), options: options,
                logger: logger
            ) { master in
                try await body(
                    WireBench(
                        master: master, endpoint: endpoint, messages: messages, folder: folder))
            }
        }
    }

    private static func configuration(
        _ file: String, in folder: TemporaryFolder
    ) throws -> MasterConfiguration {
        try folder.write(file, to: "master.yaml")
        let loaded = MasterConfiguration.load(
            path: "\(folder.path)/master.yaml", registry: .standard, environment: [:])
        return try #require(loaded.configuration, "\(loaded.diagnostics)")
    }

    func reconfigure(_ file: String) async throws {
        _ = try await master.reconfigure(
            to: try Self.configuration(file, in: folder), SecretValues())
    }

    func submit(_ builder: String) async throws -> Submission {
        try await master.submit(BuildsetRequest(builders: [builder], reason: "test"))
    }

    /// Waits until the log has a message that contains a text.
    func wait(forMessage text: String) async throws {
        try await Self.wait { messages.texts.contains { $0.contains(text) } }
    }

    static func wait(until isMet: () -> Bool) async throws {
        while !isMet() { try await Task.sleep(for: .milliseconds(5)) }
    }
}
