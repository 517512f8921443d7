import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct StreamedContentTests {
    @Test func `a streamed body goes into the log before the answer has ended`() async throws {
        let gate = try ServerGate()
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n".utf8)
        let answer = ServerAnswer.trickle(
            [head + Array("first\n".utf8), Array("second".utf8)], gate)
        try await withLoopbackServer(handler: { _ in answer }) { server in
            let harness = try StepHarness()
            let step = try GET.configured(yaml: "{url: '\(server.url)', stream: true}")
            async let results = harness.run(step)
            gate.pass()
            await harness.waitForLine("ofirst", in: "content")
            #expect(harness.log("content")?.content == "ofirst\n")
            gate.open()

            #expect(try await results == .success)
            #expect(harness.log("content")?.content == "ofirst\nosecond\n")
            #expect(harness.log("log")?.lines.last == "h12 bytes of an unknown type")
        }
    }

    @Test func `a streamed body is not kept, whatever its size`() async throws {
        let size = 80 << 20
        let run = try await StepRun.of(GET.self, "{url: SERVER/, stream: true}") { _ in
            .respond(
                headers: [("Content-Type", "application/zip")],
                body: [UInt8](repeating: 0, count: size))
        }

        #expect(run.results == .success)
        #expect(run.log("content") == "h\(size) bytes of application/zip\n")
    }

    @Test func `a body larger than the limit is a failure when it is to be kept`() async throws {
        let run = try await StepRun.of(GET.self, "SERVER/") { _ in
            .respond(body: [UInt8](repeating: 0x61, count: (64 << 20) + 1))
        }

        #expect(run.results == .failure)
        #expect(run.log("log")?.contains("\neThe request failed: ") == true)
    }

    @Test func `the hops before a streamed body are in the log`() async throws {
        let run = try await StepRun.of(GET.self, "{url: SERVER/, stream: true}") { request in
            request.path == "/"
                ? .text("moved\n", status: 302, headers: [("Location", "/landed")])
                : .text("landed\n")
        }

        #expect(run.log("log")?.contains("omoved\n") == true)
        #expect(run.harness.logs.map(\.name) == ["log", "content"])
        #expect(run.log("content") == "olanded\n")
    }

    @Test(arguments: [7, 300_000])
    func `the exchanges of a streamed body that is too large are in the log`(
        _ size: Int
    ) async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, stream: true, max_size: 6}"
        ) { request in
            request.path == "/"
                ? .text("moved\n", status: 302, headers: [("Location", "/landed")])
                : .respond(
                    headers: [("X-Kept", "yes")], body: [UInt8](repeating: 0x61, count: size))
        }

        let log = try #require(run.log("log"))
        #expect(run.results == .failure)
        #expect(log.contains("omoved\n"))
        #expect(log.contains("oURL: SERVER/landed\noStatus: 200\n"))
        #expect(log.contains("h\tX-Kept: yes\n"))
        #expect(log.contains("\neThe request failed: the answer has more than 6 bytes"))
    }
}
