import FoundationEssentials
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
        try folder.write(yaml, to: "master.yaml")
        let loaded = MasterConfiguration.load(
            path: "\(folder.path)/master.yaml", registry: try Registry([standardPlugins]),
            environment: [:])
        let mistakes = ConfigurationFixture.words(loaded.diagnostics)
        #expect(mistakes == [])
        let configuration = loaded.configuration
        guard let configuration else { preconditionFailure("the test's master.yaml is wrong") }
        return try await Master.run(
            configuration, SecretValues(secrets),
            options: Master.Options(
                basedir: "\(folder.path)/.buildmaster", slots: slots, resumesRequests: true),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { master in
            try await body(master, try DataAPI(master))
        }
    }
}

extension DataAPI {
    /// Sends a request written as a client writes it, without the percent encoding.
    func send(_ method: String = "GET", _ address: String) async -> DataAnswer {
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
                }))
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
