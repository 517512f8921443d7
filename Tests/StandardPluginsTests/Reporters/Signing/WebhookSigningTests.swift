import Crypto
import Foundation
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// The keys used for the signatures in the specification's example.
private enum Example {
    static let shared = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    static let pair =
        "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    static let seed = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
    static let publicKey = "1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
}

struct WebhookSigningTests {
    /// Sends one report and returns the received request.
    private func push(
        signing: String, secrets: [String: String] = [:]
    ) async throws -> ReceivedRequest {
        try await withLoopbackServer { server in
            let reporter = try HttpStatusPush.configured(
                yaml: "{serverUrl: \(server.url)/, signing: \(signing)}", scope: .service)
            let harness = try ReporterHarness(secrets: secrets)
            let report = Report(body: .json(["test": 2_432_232_314]))
            try await harness.send(report, through: reporter, id: "msg_a_1_2_0")
            return try #require(server.requests.first)
        }
    }

    private func signatures(in request: ReceivedRequest) throws -> [Substring] {
        try #require(request.header("webhook-signature")).split(separator: " ")
    }

    /// The signed content, reconstructed from the received request.
    private func content(of request: ReceivedRequest) throws -> Data {
        let id = try #require(request.header("webhook-id"))
        let timestamp = try #require(request.header("webhook-timestamp"))
        return Data("\(id).\(timestamp).".utf8) + request.body
    }

    @Test func `every request names its delivery and its time`() async throws {
        let before = Int(Date().timeIntervalSince1970)
        let request = try await push(signing: "null")
        #expect(request.header("webhook-id") == "msg_a_1_2_0")
        let timestamp = try #require(request.header("webhook-timestamp").flatMap { Int($0) })
        #expect((before...before + 60).contains(timestamp))
        #expect(request.header("webhook-signature") == nil)
    }

    @Test func `a shared key signs with HMAC`() async throws {
        let request = try await push(signing: Example.shared)
        let key = try #require(Data(base64Encoded: String(Example.shared.dropFirst(6))))
        let code = HMAC<SHA256>.authenticationCode(
            for: try content(of: request), using: SymmetricKey(data: key))
        #expect(try signatures(in: request) == ["v1,\(Data(code).base64EncodedString())"])
    }

    @Test(arguments: [Example.pair, Example.seed])
    func `a key pair signs so that its public key proves it`(_ key: String) async throws {
        let request = try await push(signing: "!Secret hook", secrets: ["hook": key])
        let signature = try #require(signatures(in: request).first)
        let bytes = try #require(Data(base64Encoded: String(signature.dropFirst(4))))
        let publicKey = try Curve25519.Signing.PublicKey(
            rawRepresentation: #require(Data(base64Encoded: Example.publicKey)))
        #expect(signature.hasPrefix("v1a,"))
        #expect(publicKey.isValidSignature(bytes, for: try content(of: request)))
    }

    @Test func `each of several keys signs, in their order`() async throws {
        let request = try await push(
            signing: "[!Secret new, !Secret old, \(Example.seed)]",
            secrets: ["new": "whsec_" + String(repeating: "QUJD", count: 8), "old": Example.shared])
        let signatures = try signatures(in: request)
        #expect(signatures.map { $0.prefix { $0 != "," } } == ["v1", "v1", "v1a"])
        #expect(Set(signatures).count == 3)
    }

    @Test func `a secret that is no key is told without a part of it`() async throws {
        let error = await #expect(throws: RenderError.self) {
            try await push(signing: "!Secret hook", secrets: ["hook": "Top-Secret-9876"])
        }
        let message = try #require(error).message
        #expect(message.contains("'signing' of reporters.HttpStatusPush"))
        #expect(!message.contains("9876"))
    }
}
