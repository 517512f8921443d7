import Foundation
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct NetrcStepTests {
    /// Runs a step with a `.netrc` file of one line.
    private static func run(
        _ line: String, _ settings: String = "auth: netrc",
        answering handler: @escaping LoopbackServer.Handler = { _ in .text("ok\n") }
    ) async throws -> (results: Results, harness: StepHarness, requests: [ReceivedRequest]) {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(line.utf8).write(to: file)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: file) } }
        let http = HTTPClient(HTTPClientConfiguration(environment: ["NETRC": file.path]))
        return try await withLoopbackServer(handler: handler) { server in
            let harness = try StepHarness(http: http)
            let step = try POST.configured(yaml: "{url: '\(server.url)', \(settings)}")
            return (try await harness.run(step), harness, server.requests)
        }
    }

    @Test func `the entry of the host is sent`() async throws {
        let run = try await Self.run("machine 127.0.0.1 login Aladdin password 'opensesame'")
        #expect(run.results == .success)
        #expect(
            run.requests.first?.header("Authorization")
                == "Basic " + Data("Aladdin:'opensesame'".utf8).base64EncodedString())
    }

    @Test(arguments: ["", ", stream: true"])
    func `a password that the server echoes is shown nowhere`(_ more: String) async throws {
        let run = try await Self.run(
            "default login u password swordfish",
            "auth: netrc, extract: {said: {header: X-Said}}\(more)"
        ) { request in
            let sent = request.header("Authorization") ?? ""
            return .chunked(
                headers: [("X-Said", "it is swordfish")],
                chunks: [Array("sword".utf8), Array("fish \(sent)\nsword".utf8)])
        }

        #expect(run.results == .success)
        let mask = run.harness.renderContext.secrets.mask
        let said = try #require(run.harness.properties["said"])
        #expect(mask.apply(to: said) == "it is <netrc>")
        for log in run.harness.logs {
            #expect(!log.content.contains("swordfish"))
            #expect(!log.content.contains("c3dvcmRmaXNo"))
        }
        let content = try #require(run.harness.log("content")?.content)
        #expect(content.hasPrefix("o<netrc> Basic "))
        #expect(content.hasSuffix("\nosword\n") || content.hasSuffix("\nosword"))
    }

    @Test(arguments: [
        ("machine other.example login a password word", "has no entry for 127.0.0.1"),
        ("machine 127.0.0.1 login", "line 1 of "),
        ("machine 127.0.0.1 password abc", "4 characters"),
    ])
    func `without credentials nothing is sent`(_ line: String, _ words: String) async throws {
        let run = try await Self.run(line)
        #expect(run.results == .failure)
        #expect(run.requests.isEmpty)
        let said = try #require(run.harness.log("log")?.lines.first)
        #expect(said.hasPrefix("eThe request failed: "))
        #expect(said.contains(words))
    }
}
