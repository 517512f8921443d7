import GRDB
import MasterTesting
import Testing

/// The memory use of the program, as measured by the system.
struct MemoryTests {
    /// Runs a program and prints its peak memory use in KiB.
    private static let measure = """
        import resource, subprocess, sys
        status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
        print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        """

    @Test func `a hundred megabytes of output go through little memory`() async throws {
        let yaml = """
            steps:
              - steps.ShellCommand: yes "$(printf '%0999d' 1)" | head -c 100000000
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let ended = try await program.run(
                ["-c", Self.measure, Program.path, "run", "--quiet"],
                executable: "/usr/bin/python3"
            ) { _ in }
            let numbers = ended.output.split { $0.isWhitespace }.compactMap { Int($0) }
            try #require(numbers.count == 2)
            #expect(numbers[0] == 0)
            #expect(numbers[1] < 120 * 1024)
        }
    }

    /// Runs the program until it exits.
    ///
    /// - Returns: The exit status, and the peak memory use in MiB.
    private static func measure(
        _ program: Program, _ arguments: String...
    ) async throws -> (status: Int, megabytes: Int) {
        let ended = try await program.run(
            ["-c", measure, Program.path] + arguments, executable: "/usr/bin/python3"
        ) { _ in }
        let numbers = ended.output.split { $0.isWhitespace }.compactMap { Int($0) }
        try #require(numbers.count == 2, "\(ended.error)")
        return (numbers[0], numbers[1] / 1024)
    }

    @Test(.timeLimit(.minutes(5)))
    func `reports with many logs all reach a receiver that takes them, in little memory`()
        async throws
    {
        try await withLoopbackServer { server in
            let steps = (1...12).map { _ in "  - steps.ShellCommand: yes line | head -c 300000" }
            let yaml = """
                services:
                  - reporters.HttpStatusPush:
                      serverUrl: \(server.url)/status
                      want_logs_content: true
                      generators: [generators.StepStatusGenerator]
                delivery: {maxBytes: 4MiB}
                steps:
                \(steps.joined(separator: "\n"))
                """
            try await Program.inFolder(["master.yaml": yaml]) { program in
                let run = try await Self.measure(program, "run", "--drain", "4m")
                #expect(run.status == 0)
                #expect(run.megabytes < 130)
                let counts = server.requests.map { request in
                    request.body.count { $0 == UInt8(ascii: "\\") } / 60_000
                }
                // The report of a step has the logs up to that step, however late it was generated.
                #expect(counts == Array(1...12))
                let list = try await program.run("deliveries", "list", "--state", "dead")
                #expect(list.output.hasPrefix("there is no such report"))
            }
        }
    }

    @Test func `a list of fifty thousand reports goes through little memory`() async throws {
        try await Program.inFolder(["master.yaml": "steps: []"]) { program in
            _ = try await program.run("run")
            let store = try DatabaseQueue(path: program.folder + "/.buildmaster/buildmaster.sqlite")
            try await store.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO reporter (id, name, cursor) VALUES (1, 'push', -1);
                        WITH RECURSIVE n(i) AS (
                            SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
                        INSERT INTO delivery
                            (reporter_id, event_seq, part, lane, state, report, bytes, since, error)
                        SELECT 1, i, 0, i, 'parked', '{"empty":true}', 14, 0,
                            'nothing listens at 127.0.0.1:9980' FROM n;
                        """)
            }
            try store.close()
            let list = try await Self.measure(program, "deliveries", "list", "--json")
            #expect(list.status == 0)
            #expect(list.megabytes < 60)
            let retried = try await Self.measure(program, "deliveries", "retry", "--all")
            #expect(retried.status == 0)
            #expect(retried.megabytes < 60)
        }
    }
}
