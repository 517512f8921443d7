import Foundation
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// Signatures of reports, verified by `standardwebhooks` (`v1`) and `cryptography` (`v1a`).
@Suite(.timeLimit(.minutes(1)))
struct SignatureTests {
    private static let shared = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    private static let longest = "whsec_" + String(repeating: "cXdl", count: 21) + "cQ=="
    private static let seed = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
    private static let publicKey = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="

    @Test(arguments: [
        Report.Body.json(["state": "passed – ✓", "n": 1.10, "list": [nil, true]]),
        .text("Build 7: ä & <b>\n", contentType: "text/plain; charset=utf-8"),
        .text("", contentType: "text/plain; charset=utf-8"),
    ])
    func `each key's signature is right, and no other's`(_ body: Report.Body) async throws {
        let request = try await send(body, signing: [Self.shared, Self.longest, Self.seed])
        let found = try await judge(
            request,
            keys: [
                ("v1", Self.shared), ("v1", Self.longest), ("v1a", Self.publicKey),
                ("v1", "whsec_" + String(repeating: "AAAA", count: 8)),
                ("v1a", "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
            ])
        #expect(found == [true, true, true, false, false])
    }

    @Test func `a body that was changed on its way is found out`() async throws {
        let request = try await send(.json(["results": 2]), signing: [Self.shared, Self.seed])
        let found = try await judge(
            request, body: Array(#"{"results":0}"#.utf8),
            keys: [("v1", Self.shared), ("v1a", Self.publicKey)])
        #expect(found == [false, false])
    }

    private func send(_ body: Report.Body, signing keys: [String]) async throws -> ReceivedRequest {
        try await withLoopbackServer { server in
            let reporter = try HttpStatusPush.configured(
                ["serverUrl": .string(server.url), "signing": .array(keys.map { .string($0) })],
                scope: .service)
            try await ReporterHarness().send(Report(body: body), through: reporter)
            return try #require(server.requests.first)
        }
    }

    /// Returns which keys Python accepts.
    private func judge(
        _ request: ReceivedRequest, body: [UInt8]? = nil, keys: [(scheme: String, key: String)]
    ) async throws -> [Bool] {
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        let headers = try names.map { name -> (String, JSONValue) in
            (name, .string(try #require(request.header(name))))
        }
        let webhook: JSONValue = [
            "headers": .object(JSONObject(headers)),
            "body": .string(String(decoding: body ?? request.body, as: UTF8.self)),
            "keys": .array(keys.map { [.string($0.scheme), .string($0.key)] }),
        ]
        let output = try await PythonEnvironment.run("webhooks.py", reading: webhook)
        return try #require(output.arrayValue).map { $0 == true }
    }
}
