import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

/// Reports whose URL depends on the build, sent by the built program.
@Suite(.timeLimit(.minutes(2)))
struct ReportedAddressTests {
    private static func file(_ url: String) -> String {
        """
        secrets: [secrets.Environment]
        services:
          - reporters.HttpStatusPush:
              name: statuses
              serverUrl: !Interpolate "\(url)/repos/%(prop:project)s/statuses/%(prop:revision)s"
              headers: {Authorization: !Interpolate "token %(secret:token)s"}
              format:
                state: "{{ result_name }}"
                key: !Secret token
                said: !Property said
        steps:
          - steps.ShellCommand: "true"
        """
    }

    /// Whether any file below a folder contains a text.
    private func isKept(_ text: String, in folder: String) throws -> Bool {
        try FileManager.default.subpathsOfDirectory(atPath: folder).contains { path in
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(path)") else {
                return false
            }
            return data.firstRange(of: Data(text.utf8)) != nil
        }
    }

    private func with(
        answering status: @escaping @Sendable (String) -> Int,
        _ body: (Program, LoopbackServer) async throws -> Void
    ) async throws {
        try await withLoopbackServer(handler: { request in
            .respond(status: status(request.target))
        }) { server in
            try await Program.inFolder(["master.yaml": Self.file(server.url)]) { program in
                var program = program
                program.environment["token"] = "s3cr3t-value"
                try await body(program, server)
            }
        }
    }

    @Test func `a commit gets its status, with a secret in header and body`() async throws {
        try await with(answering: { _ in 201 }) { program, server in
            let ended = try await program.run(
                "run", "--project", "acme/app", "--revision", "4a5f", "-p", "said=s3cr3t-value")
            #expect(ended.status == 0, "\(ended.error)")
            #expect(ended.output.contains("2 reports delivered"), "\(ended.output)")
            #expect(
                server.requests.map(\.target) == [
                    "/repos/acme/app/statuses/4a5f", "/repos/acme/app/statuses/4a5f",
                ])
            #expect(
                server.requests.map { $0.header("Authorization") } == [
                    "token s3cr3t-value", "token s3cr3t-value",
                ])
            // A secret that occurs in the build by coincidence stays hidden.
            #expect(
                server.requests.map(\.text) == [
                    #"{"state":"not finished","key":"s3cr3t-value","said":"<token>"}"#,
                    #"{"state":"success","key":"s3cr3t-value","said":"<token>"}"#,
                ])
            #expect(try !isKept("s3cr3t-value", in: program.folder + "/.buildmaster"))
        }
    }

    @Test func `a property that a template of a report has is used`() async throws {
        let file = """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: http://127.0.0.1:1/
                  generators:
                    - generators.BuildStatusGenerator:
                        message_formatter:
                          formatters.MessageFormatter:
                            template: "{{ properties.one|default:'' }} {{ build.properties.two[0] }}"
            steps: []
            """
        let ended = try await Program.inFolder(["master.yaml": file]) { program in
            try await program.run(
                "run", "--drain", "0s", "-p", "one=1", "-p", "two=2", "-p", "three=3")
        }
        let warnings = ended.error.split(separator: "\n").filter { $0.hasPrefix("warning: -p ") }
        #expect(
            warnings == [
                "warning: -p three: nothing in the file uses a property 'three'; there are one, two"
            ])
    }

    @Test func `of several addresses the summary shows what they have in common`() async throws {
        try await withLoopbackServer { server in
            let file = """
                services:
                  - reporters.HttpStatusPush:
                      serverUrl: !Template "\(server.url)/of/{{ result_name|urlencode }}"
                steps:
                  - steps.ShellCommand: "true"
                """
            try await Program.inFolder(["master.yaml": file]) { program in
                let ended = try await program.run("run")
                #expect(ended.status == 0, "\(ended.error)")
                #expect(server.requests.map(\.target) == ["/of/not%20finished", "/of/success"])
                let lines = ended.output.split(separator: "\n").filter { $0.contains(server.url) }
                #expect(lines.count == 2)
                for line in lines { #expect(line.hasSuffix("\(server.url)/of/…  200"), "\(line)") }
            }
        }
    }

    @Test func `410 is a failed delivery of one commit, and closes nothing`() async throws {
        try await with(answering: { $0.hasSuffix("gone") ? 410 : 201 }) { program, server in
            let gone = try await program.run(
                "run", "--project", "acme/app", "--revision", "gone")
            #expect(gone.output.contains("2 reports of statuses given up"), "\(gone.output)")
            let shown = try await program.run("deliveries", "show", "1")
            #expect(shown.output.contains("<token>"), "\(shown.output)")
            #expect(try !isKept("s3cr3t-value", in: program.folder + "/.buildmaster"))
            let there = try await program.run(
                "run", "--project", "acme/app", "--revision", "there")
            #expect(there.output.contains("2 reports delivered"), "\(there.output)")
            #expect(server.requests.count == 4)
        }
    }

    @Test func `an address that cannot be computed is a failed delivery with its reason`()
        async throws
    {
        try await with(answering: { _ in 201 }) { program, server in
            let ended = try await program.run(
                "run", "--project", "acme/..", "--revision", "x")
            #expect(ended.status == 0)
            #expect(server.requests.isEmpty)
            let list = try await program.run("deliveries", "list")
            #expect(list.output.contains("makes a segment '..'"), "\(list.output)")
        }
    }

    @Test func `a report that waits is sent by the next run to its own address`() async throws {
        try await with(answering: { _ in 503 }) { program, server in
            _ = try await program.run(
                "run", "--project", "acme/app", "--revision", "first", "--drain", "0")
            #expect(try !isKept("s3cr3t-value", in: program.folder + "/.buildmaster"))
            try await withLoopbackServer { other in
                try program.write(Self.file(other.url), to: "master.yaml")
                let ended = try await program.run(
                    "run", "--project", "acme/app", "--revision", "second")
                #expect(ended.output.contains("4 reports delivered"), "\(ended.output)")
                #expect(
                    Set(other.requests.map(\.target)) == [
                        "/repos/acme/app/statuses/first", "/repos/acme/app/statuses/second",
                    ])
                #expect(other.requests.allSatisfy { $0.text.contains("s3cr3t-value") })
            }
        }
    }

    @Test func `a receiver that hangs does not hold up those of other places`() async throws {
        try await withLoopbackServer(handler: { _ in .hang }) { hanging in
            try await withLoopbackServer { other in
                let file = """
                    services:
                      - reporters.HttpStatusPush:
                          serverUrl: !Interpolate "%(prop:receiver)s/status"
                          inFlight: 1
                          timeout: 60
                    builders:
                      - {name: one, properties: {receiver: "\(hanging.url)"}, steps: []}
                      - {name: two, properties: {receiver: "\(other.url)"}, steps: []}
                      - {name: three, properties: {receiver: "\(other.url)"}, steps: []}
                    """
                try await Program.inFolder(["master.yaml": file]) { program in
                    let ended = try await program.run(["run", "--drain", "1s"]) { _ in
                        await hanging.waitForRequests(1)
                        await other.waitForRequests(4)
                        #expect(hanging.requests.count == 1)
                    }
                    #expect(ended.output.contains("4 reports delivered"), "\(ended.output)")
                }
            }
        }
    }
}
