import Testing

/// How much memory the program takes, as the system counts it.
struct MemoryTests {
    /// Runs a program and prints the most memory that it had, in KiB.
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
}
