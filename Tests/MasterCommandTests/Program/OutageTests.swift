import FoundationEssentials
import GRDB
import MasterTesting
import Testing

@Suite(.timeLimit(.minutes(2)))
struct OutageTests {
    @Test func `a receiver that is away for 5 s while 20 builds run gets 40 of 40`() async throws {
        let first = try LoopbackServer { _ in .text("ok") }
        let builders = (1...20).map { "  - {name: b\($0)}" }.joined(separator: "\n")
        let file = """
            services:
              - reporters.HttpStatusPush: \(first.url)/status
            steps:
              - steps.ShellCommand: sleep 0.2
            builders:
            \(builders)
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            var taken: [ReceivedRequest] = []
            var second: LoopbackServer?
            let ended = try await program.run(["run", "--jobs", "2"]) { _ in
                await first.waitForRequests(5)
                await first.stop()
                taken = first.requests
                // The outage itself, in real time.
                try await Task.sleep(for: .seconds(5))
                second = try LoopbackServer(port: first.port) { _ in .text("ok") }
            }
            taken += second?.requests ?? []
            await second?.stop()
            #expect(ended.status == 0)
            #expect(ended.output.contains(", 40 reports delivered\n"), "\(ended.output)")
            #expect(Set(taken.map { $0.header("webhook-id") }).count == 40)
        }
    }

    @Test func `a run does not wait for a receiver that was never there`() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        await server.stop()
        let file = "services: [reporters.HttpStatusPush: \(server.url)/]\nsteps: []\n"
        try await Program.inFolder(["master.yaml": file]) { program in
            let ended = try await program.run("run")
            #expect(ended.status == 0)
            // A waiting run says so after a second, long before the first retry.
            #expect(!ended.output.contains("waiting up to"))
            #expect(ended.error.contains("nothing listens at \(server.url.dropFirst(7))"))
            #expect(ended.output.contains("2 reports kept for the next run"))
        }
    }

    @Test func `what became too old while no master ran is tried once, then told once`()
        async throws
    {
        let server = try LoopbackServer { _ in .text("ok") }
        await server.stop()
        let file = """
            services: [reporters.HttpStatusPush: {name: push, serverUrl: "\(server.url)/"}]
            delivery: {maxAge: 1d}
            steps: []
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            _ = try await program.run("run")
            let store = try DatabaseQueue(path: program.folder + "/.buildmaster/buildmaster.sqlite")
            try await store.write {
                try $0.execute(sql: "UPDATE delivery SET since = since - 90000")
            }
            try store.close()
            let second = try await program.run("run", "--quiet")
            #expect(second.output.contains("\n2 reports kept for the next run; "))
            #expect(
                second.output.contains(
                    "\n1 report of push given up: expired: the report is older than 'maxAge'; "))
            #expect(
                second.output.contains(
                    "; to see more: buildmaster deliveries list --state dead --reporter push\n"))
            let third = try await program.run("run")
            #expect(!third.output.contains("given up"))
            let list = try await program.run("deliveries", "list", "--state", "dead")
            #expect(list.output.split(separator: "\n").count == 3)
        }
    }
}
