import GRDB
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterWeb

/// Runs a master that stays up, and its API.
func withMaster<Value: Sendable>(
    _ yaml: String, secrets: [String: String] = [:], slots: Int = 4,
    _ body: (Master, DataAPI) async throws -> Value
) async throws -> Value {
    try await withTemporaryFolder { folder in
        try await withMaster(yaml, in: folder, secrets: secrets, slots: slots, body)
    }
}

/// Runs a master in a folder, which may be that of an earlier one.
func withMaster<Value: Sendable>(
    _ yaml: String, in folder: TemporaryFolder, secrets: [String: String] = [:], slots: Int = 4,
    _ body: (Master, DataAPI) async throws -> Value
) async throws -> Value {
    try folder.write(yaml, to: "master.yaml")
    let loaded = MasterConfiguration.load(
        path: "\(folder.path)/master.yaml", registry: try Registry([standardPlugins]),
        environment: [:])
    let mistakes = ConfigurationFixture.words(loaded.diagnostics.filter { $0.severity == .error })
    #expect(mistakes == [])
    guard let configuration = loaded.configuration else { throw CancellationError() }
    return try await Master.run(
        configuration, SecretValues(secrets),
        options: Master.Options(
            basedir: "\(folder.path)/.buildmaster", slots: slots, resumesRequests: true),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) { master in
        try await body(master, try DataAPI(master))
    }
}

extension DataAPI {
    /// Sends a request written as a client writes it, without the percent encoding.
    func send(
        _ method: String, _ address: String, acceptsJSON: Bool = true
    ) async -> DataAnswer {
        let parts = address.split(separator: "?", maxSplits: 1)
        let path = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false)
        let items = parts.count > 1 ? parts[1].split(separator: "&") : []
        return await answer(
            DataRequest(
                method, path.map(String.init),
                query: items.map { item in
                    let pair = item.split(
                        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    return (String(pair[0]), pair.count > 1 ? String(pair[1]) : "")
                }, acceptsJSON: acceptsJSON))
    }

    /// The JSON of an answer to GET that has to be good.
    func get(_ address: String) async throws -> JSONValue {
        let answer = await send("GET", address)
        #expect(answer.status == 200, "\(address): \(answer.text)")
        return try JSONValue(parsing: answer.bytes)
    }
}

extension DataAnswer {
    /// The body, unless it is a stream.
    var bytes: [UInt8] { if case .bytes(let bytes) = body { bytes } else { [] } }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Master {
    /// Waits until the state of a service is as wanted; no event announces its changes.
    func waitForState(of name: String, _ isMet: (JSONValue?) -> Bool) async throws {
        let readers = try StoreReaders(folder: basedir)
        while true {
            let text = try await readers.read { database in
                try String.fetchOne(
                    database, sql: "SELECT state FROM service_state WHERE name = ?",
                    arguments: [name])
            }
            if isMet(try text.map { try JSONValue(parsing: $0) }) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until a condition is met, which it looks at after each event.
    func waitUntil(_ isMet: () async throws -> Bool) async throws {
        try await events.withSubscription(to: Set(EventKind.allCases), bound: 10_000) { events in
            var iterator = events.makeAsyncIterator()
            while try await !isMet() { _ = await iterator.next() }
        }
    }
}
