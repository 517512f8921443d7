import FoundationEssentials
import MasterKit
import MasterTesting
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct DeliveriesCommandTests {
    /// The status that a receiver currently responds with.
    private final class Answer: Sendable {
        let status: Mutex<Int>

        init(_ status: Int) {
            self.status = Mutex(status)
        }

        func becomeSuccess() {
            status.withLock { $0 = 200 }
        }
    }

    /// Runs a closure with a receiver with a changeable response, and a file that reports to it.
    private static func with(
        _ status: Int, step: String = "true",
        _ body: (Program, LoopbackServer, Answer) async throws -> Void
    ) async throws {
        let answer = Answer(status)
        try await withLoopbackServer { _ in
            .text("the answer", status: answer.status.withLock { $0 })
        } _: { server in
            let file = """
                services:
                  - reporters.HttpStatusPush: {name: push, serverUrl: "\(server.url)/status"}
                steps:
                  - steps.ShellCommand: {name: work, command: "\(step)"}
                """
            try await Program.inFolder(["master.yaml": file]) { program in
                try await body(program, server, answer)
            }
        }
    }

    private func list(_ program: Program, _ arguments: String...) async throws -> JSONValue {
        let ended = try await program.run(["deliveries", "list", "--json"] + arguments) { _ in }
        #expect(ended.status == 0, "\(ended.error)")
        return try JSONValue(parsing: ended.output)
    }

    private func states(_ list: JSONValue) -> [String] {
        (list["deliveries"]?.arrayValue ?? []).compactMap { $0["state"]?.stringValue }
    }

    @Test func `what was given up is listed, shown, sent again, and then it has arrived`()
        async throws
    {
        try await Self.with(400) { program, server, answer in
            let first = try await program.run("run")
            #expect(
                first.output.contains(
                    "\n2 reports of push given up: the receiver answered 400 Bad Request: the answer"
                ))
            #expect(
                first.output.hasSuffix(
                    "; to see more: buildmaster deliveries list --state dead --reporter push\n"))
            let listed = try await program.run("deliveries", "list")
            #expect(listed.output.contains("1   dead   push      default #1 started  1      "))
            #expect(listed.output.contains("the receiver answered 400 Bad Request: the answer"))
            #expect(states(try await list(program)) == ["dead", "dead"])
            #expect(states(try await list(program, "--reporter", "push")) == ["dead", "dead"])
            #expect(states(try await list(program, "--state", "open")) == [])
            #expect(states(try await list(program, "--build", "default#1")).count == 2)
            #expect(states(try await list(program, "--build", "2")) == [])

            let shown = try await program.run("deliveries", "show", "2")
            #expect(shown.output.hasPrefix("delivery 2: push, default #1 success\n"))
            #expect(shown.output.contains("\n  | the answer\n"))
            #expect(shown.output.contains("\"state_string\": \"build successful\","))
            let id = try #require(server.requests.last?.header("webhook-id"))
            #expect(shown.output.contains("webhook-id  \(id)\n"))

            answer.becomeSuccess()
            let retried = try await program.run("deliveries", "retry", "1", "2")
            #expect(retried.output.hasPrefix("2 reports to be sent again"))
            let second = try await program.run("run")
            #expect(second.output.contains(", 4 reports delivered\n"))
            #expect(server.requests.count { $0.header("webhook-id") == id } == 2)
            let after = try await program.run("deliveries", "list")
            #expect(after.output.hasPrefix("no undelivered reports in "))
            let gone = try await program.run("deliveries", "show", "2")
            #expect(gone.output.contains("the body of a delivered report is not kept"))
            let again = try await program.run("deliveries", "retry", "2")
            #expect(again.status == 1)
            #expect(again.error == "error: 2 cannot be sent again: already delivered\n")
        }
    }

    @Test func `a run that goes on sends at once what is to be sent again`() async throws {
        let step = "while [ ! -e go ]; do sleep 0.05; done"
        try await Self.with(422, step: step) { program, server, answer in
            let ended = try await program.run(["run"]) { running in
                await server.waitForRequests(1)
                var isDead = false
                while !isDead { isDead = try await states(list(program)) == ["dead"] }
                answer.becomeSuccess()
                let retried = try await program.run("deliveries", "retry", "--all")
                #expect(retried.output.hasPrefix("1 report to be sent again"))
                await server.waitForRequests(2)
                try program.write("", to: "go")
            }
            #expect(ended.status == 0)
            #expect(server.requests.count == 3)
            #expect(Set(server.requests.map { $0.header("webhook-id") }).count == 2)
            #expect(ended.output.contains(", 2 reports delivered\n"))
        }
    }

    @Test func `what is dropped is neither sent nor listed`() async throws {
        try await Self.with(503) { program, server, answer in
            _ = try await program.run("run")
            let dropped = try await program.run("deliveries", "drop", "--reporter", "push")
            #expect(dropped.output == "2 reports dropped\n")
            #expect(states(try await list(program)) == [])
            answer.becomeSuccess()
            let seen = server.requests.count
            _ = try await program.run("run")
            #expect(server.requests.count - seen == 2)
            let none = try await program.run("deliveries", "drop", "--all")
            #expect(none.output == "there is nothing to drop\n")
        }
    }

    @Test func `a closed endpoint is said by every run until it is resumed`() async throws {
        try await Self.with(410) { program, server, answer in
            let line = "; to open it again: buildmaster deliveries resume push\n"
            #expect(try await program.run("run").output.hasSuffix(line))
            answer.becomeSuccess()
            #expect(try await program.run("run").output.hasSuffix(line))
            #expect(server.requests.count == 1)
            let closed = try await list(program)["closed"]?[0]
            #expect(closed?["reporter"] == "push")
            let listed = try await program.run("deliveries", "list")
            #expect(listed.output.contains("\npush is closed since 20"))
            let retried = try await program.run("deliveries", "retry", "--all")
            #expect(
                retried.output == "1 report to be sent again once push is open again, as its "
                    + "endpoint is closed; to open it again: buildmaster deliveries resume push\n")
            let resumed = try await program.run("deliveries", "resume", "push")
            #expect(resumed.output.hasPrefix("push is open again"))
            let last = try await program.run("run")
            #expect(last.output.contains(", 6 reports delivered\n"))
            let twice = try await program.run("deliveries", "resume", "push")
            #expect(twice.output == "push is not closed\n")
        }
    }

    @Test func `another address opens a closed endpoint`() async throws {
        try await Self.with(410) { program, server, answer in
            _ = try await program.run("run")
            answer.becomeSuccess()
            let file = """
                services:
                  - reporters.HttpStatusPush: {name: push, serverUrl: "\(server.url)/new"}
                steps: []
                """
            try program.write(file, to: "master.yaml")
            let ended = try await program.run("run")
            #expect(ended.output.contains(", 4 reports delivered\n"))
            #expect(server.requests.dropFirst().allSatisfy { $0.target == "/new" })
        }
    }

    @Test func `a command for a name or a path with spaces can be pasted`() async throws {
        try await withLoopbackServer { _ in
            .text("", status: 410)
        } _: { server in
            let file = """
                services:
                  - reporters.HttpStatusPush: {name: my push, serverUrl: "\(server.url)/gone"}
                steps: []
                """
            try await Program.inFolder(["my master.yaml": file]) { program in
                let ended = try await program.run("run", "-c", "my master.yaml")
                let command = "buildmaster deliveries resume 'my push' -c 'my master.yaml'"
                #expect(ended.output.hasSuffix("; to open it again: \(command)\n"))
                let resumed = try await program.run(
                    "deliveries", "resume", "my push", "-c", "my master.yaml")
                #expect(resumed.output.hasPrefix("my push is open again"))
            }
        }
    }

    @Test func `what is parked is said to wait for its reporter`() async throws {
        try await Self.with(503) { program, _, _ in
            _ = try await program.run("run")
            try program.write("steps: []", to: "master.yaml")
            let ended = try await program.run("run")
            #expect(
                ended.output.hasSuffix(
                    "; to see them: buildmaster deliveries list --state parked\n"))
            let retried = try await program.run("deliveries", "retry", "--all")
            #expect(
                retried.output
                    == "2 reports to be sent again when their reporter is in the file again\n")
        }
    }

    private static let mistakes: [([String], Int32, String)] = [
        (["show", "7"], 1, "there is no delivery 7 in "),
        (["retry", "1", "7", "8"], 1, "there is no delivery 7, 8 in "),
        (["drop", "7"], 1, "there is no delivery 7 in "),
        (["retry"], 64, "give the numbers that 'list' shows"),
        (["drop", "1", "--all"], 64, "numbers, --all and --reporter exclude each other"),
        (["drop", "--reporter", "pusch"], 1, "no reporter 'pusch' was ever used in "),
        (["resume", "pusch"], 1, "did you mean 'push'?"),
        (["list", "--reporter", "other"], 1, "there is only 'push'"),
        (["list", "--state", "lost"], 64, "'open', 'parked', 'dead', 'delivered' or 'nothing'"),
        (["list", "--build", "x#y"], 64, "x#y"),
    ]

    @Test func `mistakes are said and change nothing`() async throws {
        try await Self.with(503) { program, _, _ in
            _ = try await program.run("run", "--drain", "0")
            let before = try await list(program)
            for (arguments, status, sentence) in Self.mistakes {
                let ended = try await program.run(["deliveries"] + arguments) { _ in }
                #expect(ended.status == status, "\(arguments): \(ended.error)")
                #expect(ended.error.contains(sentence), "\(arguments): \(ended.error)")
                #expect(ended.output == "")
            }
            #expect(try await list(program) == before)
        }
    }

    private static let emptyRuns: [([String], Int32)] = [
        (["list"], 0), (["list", "--json"], 0), (["retry", "--all"], 0), (["drop", "--all"], 0),
        (["show", "1"], 1), (["retry", "1"], 1), (["drop", "1"], 1), (["resume", "push"], 1),
        (["drop", "--reporter", "push"], 1),
    ]

    @Test(arguments: emptyRuns)
    func `where no master has been nothing is made`(arguments: [String], status: Int32)
        async throws
    {
        try await Program.inFolder { program in
            let ended = try await program.run(["deliveries"] + arguments) { _ in }
            #expect(ended.status == status)
            #expect(ended.output.isEmpty == (status != 0))
            if status == 0, !arguments.contains("--json") {
                #expect(ended.output.hasPrefix("no run has used \(program.folder)/"))
            }
            #expect(ended.error.hasPrefix("error: ") == (status != 0))
            #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder) == [])
        }
    }

    @Test func `a store that is damaged is said to be`() async throws {
        try await Program.inFolder { program in
            let base = program.folder + "/.buildmaster"
            try FileManager.default.createDirectory(
                atPath: base, withIntermediateDirectories: false)
            let noise = String(repeating: "no database at all. ", count: 500)
            try program.write(noise, to: ".buildmaster/buildmaster.sqlite")
            for arguments in [["list"], ["retry", "--all"], ["show", "1"]] {
                let ended = try await program.run(["deliveries"] + arguments) { _ in }
                #expect(ended.status == 1)
                #expect(ended.error.contains("buildmaster.sqlite is damaged"))
            }
        }
    }
}
