import FoundationEssentials
import MasterKit
import Subprocess
import Synchronization
import SystemPackage
import Testing

/// A receiver that shares no code with this package gets the status of a build.
@Suite(.timeLimit(.minutes(2)))
struct OtherReceiverTests {
    /// Prints its port and then each request body on its own line; exits after two requests.
    private static let receiver = """
        import http.server

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.server.got.append((self.path, self.headers["Content-Type"], body.decode()))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
        server.got = []
        print(server.server_port, flush=True)
        while len(server.got) < 2:
            server.handle_request()
        for path, kind, body in server.got:
            print(path, kind, body, flush=True)
        """

    private static let file = """
        services:
          - reporters.HttpStatusPush: http://127.0.0.1:9980/status
        steps:
          - steps.ShellCommand: echo hello
        """

    @Test func `a receiver in Python gets the start and the end of a build`() async throws {
        let (ended, lines) = try await TemporaryFolder.with { folder in
            try folder.write(Self.receiver, to: "receiver.py")
            try folder.write(Self.file, to: "master.yaml")
            return try await Self.receive(in: folder) { port in
                try folder.point("master.yaml", to: "127.0.0.1:\(port)")
                return try await BuiltProgram.buildmaster.run(["run"], in: folder.path)
            }
        }
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
        #expect(ended.output.contains("2 reports delivered"))
        try #require(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix("/status application/json {") })
        let builds = try lines.map { line in
            try JSONValue(parsing: String(line.drop { $0 != "{" }))
        }
        #expect(builds.map { $0["complete"] } == [false, true])
        #expect(builds.map { $0["results"] } == [.null, 0])
        #expect(builds[0]["buildid"] == builds[1]["buildid"])
    }

    /// Starts the receiver, runs a closure with its port, and returns the output of the receiver.
    private static func receive(
        in folder: TemporaryFolder, _ body: @Sendable (String) async throws -> BuiltProgram.Ended
    ) async throws -> (BuiltProgram.Ended, [String]) {
        var ended: BuiltProgram.Ended?
        var lines: [String] = []
        let outcome = try await Subprocess.run(
            .name("python3"), arguments: ["receiver.py"], workingDirectory: FilePath(folder.path),
            input: .none, output: .sequence, error: .string(limit: 1 << 20)
        ) { execution in
            for try await line in execution.standardOutput.strings() {
                if ended == nil {
                    ended = try await body(String(line.filter(\.isNumber)))
                } else {
                    lines.append(line)
                }
            }
        }
        #expect(outcome.terminationStatus == .exited(0), "\(outcome.standardError)")
        return (try #require(ended), lines)
    }
}
