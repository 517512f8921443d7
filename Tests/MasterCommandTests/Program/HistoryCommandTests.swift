import FoundationEssentials
import GRDB
import MasterKit
import Testing

/// The commands that look at earlier builds, and the one that removes them.
@Suite(.timeLimit(.minutes(2)))
struct HistoryCommandTests {
    private static let file = """
        builders:
          - name: linux
            steps:
              - steps.ShellCommand: {name: compile, command: echo compiled}
              - steps.ShellCommand: {name: unit tests, command: "printf '\\\\033[31mred\\\\033[0m\\\\n'; test -e mended"}
              - steps.ShellCommand: {name: last, command: echo over}
          - name: docs
            steps: [steps.ShellCommand: seq 3]
        """

    private func afterRun<Value>(_ body: (Program) async throws -> Value) async throws -> Value {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            #expect(try await program.run("run", "-j", "1", "-q").status == 1)
            return try await body(program)
        }
    }

    private func read(_ name: String, of program: Program) throws -> String {
        String(
            decoding: try Data(contentsOf: URL(filePath: "\(program.folder)/\(name)")),
            as: UTF8.self)
    }

    // MARK: builds

    @Test func `builds are listed, the newest first`() async throws {
        try await afterRun { program in
            let all = try await program.run("builds")
            #expect(all.status == 0)
            let lines = all.output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("✓ docs #1   success  ") == true)
            #expect(lines.last?.hasPrefix("✗ linux #1  failure  ") == true)
            #expect(lines.last?.contains(" s ago  failed '") == true)
            #expect(try await program.run("run", "linux", "-q").status == 1)
            let some = try await program.run("builds", "lin*", "-n", "1")
            #expect(some.output.hasPrefix("✗ linux #2  failure  "))
            #expect(some.output.split(separator: "\n").count == 1)
            let json = try await program.run("builds", "--json")
            let record = try JSONValue(parsing: json.output)
            #expect(record["formatVersion"] == 1)
            #expect(
                record["builds"]?.arrayValue?.map { $0["builder"] } == ["linux", "docs", "linux"])
            let wrong = try await program.run("builds", "linus")
            #expect(wrong.status == 64)
            #expect(wrong.error == "error: there is no build of 'linus'; did you mean 'linux'?\n")
        }
    }

    @Test(arguments: [["builds"], ["clean"]])
    func `without any build that is said, and nothing is made`(command: [String]) async throws {
        try await Program.inFolder { program in
            let ended = try await program.run(command) { _ in }
            #expect(ended.status == 0)
            #expect(ended.output.hasPrefix("no build has run in "))
            #expect(!program.has(".buildmaster"))
        }
    }

    // MARK: log

    @Test(arguments: [
        ([], "3 unit", ["red", "program finished with exit code 1"]),
        (
            ["linux", "1", "compile", "stdio"], "",
            ["compiled", "program finished with exit code 0"]
        ),
        (["linux#1"], "2 unit tests", ["red"]),
        (["linux", "1", "3"], "3 last", ["over"]),
        (["docs"], "1 ShellCommand", ["1", "2", "3"]),
    ])
    func `the log that is meant is shown without letters and colours`(
        arguments: [String], title: String, lines: [String]
    ) async throws {
        try await afterRun { program in
            let ended = try await program.run(["log"] + arguments) { _ in }
            #expect(ended.status == 0, "\(ended)")
            let shown = ended.output.split(separator: "\n").map(String.init)
            for line in lines { #expect(shown.contains(line), "\(shown)") }
            #expect(!ended.output.contains("\u{1B}"))
            let wanted = title == "3 unit" ? "2 unit tests" : title
            #expect(wanted.isEmpty ? ended.error == "" : ended.error.contains("  \(wanted)  stdio"))
        }
    }

    @Test func `the end of a log is shown alone`() async throws {
        try await afterRun { program in
            let ended = try await program.run("log", "docs", "--tail", "1")
            #expect(ended.output.hasPrefix("3\nprogram finished with exit code 0\nelapsedTime="))
        }
    }

    @Test func `a run of other steps does not make a failure forgotten`() async throws {
        let file = """
            steps:
              - steps.ShellCommand: {name: one, command: "true"}
              - steps.ShellCommand: {name: two, command: test -e mended}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            #expect(try await program.run("run", "-q").status == 1)
            #expect(try await program.run("run", "-q", "--until", "one").status == 0)
            let failed = try await program.run("run", "--failed", "--list")
            #expect(failed.output.hasPrefix("default"), "\(failed)")
            try program.write("", to: "mended")
            #expect(try await program.run("run", "-q", "--only", "two").status == 0)
            let nothing = try await program.run("run", "--failed")
            #expect(nothing.output == "the last build of each builder succeeded\n")
        }
    }

    @Test func `of a step that was tried again the last try is shown`() async throws {
        let file = """
            steps:
              - steps.ShellCommand:
                  name: flaky
                  command: "echo x >> tries; echo try $(wc -l < tries); exit 1"
                  retry: {attempts: 2, backoff: 10ms}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            #expect(try await program.run("run", "-q").status == 1)
            let ended = try await program.run("log")
            #expect(ended.output.contains("\ntry 2\n"), "\(ended)")
            #expect(ended.error.contains("log default 1 1 stdio"), "\(ended)")
            let first = try await program.run("log", "default", "1", "1", "stdio")
            #expect(first.output.contains("\ntry 1\n"), "\(first)")
        }
    }

    @Test(
        arguments: [
            (["linus"], 64, "there is no build of 'linus'; did you mean 'linux'?"),
            (["linux", "7"], 64, "linux has no build 7; its last one is 1"),
            (
                ["linux", "1", "complie"], 64,
                "linux #1 has no step 'complie'; did you mean 'compile'?"
            ),
            (
                ["linux", "1", "compile", "x"], 64,
                "the step 'compile' has no log 'x'; there is only 'stdio'"
            ),
            (["*"], 64, "'*' matches linux, docs; name one"),
        ] as [([String], Int32, String)])
    func `what is not there is one sentence`(
        arguments: [String], status: Int32, sentence: String
    ) async throws {
        try await afterRun { program in
            let ended = try await program.run(["log"] + arguments) { _ in }
            #expect(ended.status == status)
            #expect(ended.output == "")
            #expect(ended.error == "error: \(sentence)\n")
        }
    }

    @Test func `a log is followed until its step has finished`() async throws {
        let command = "echo begun; until test -e go; do sleep 0.05; done; echo finished"
        let file = "steps: [steps.ShellCommand: \"\(command)\"]"
        try await Program.inFolder(["master.yaml": file]) { program in
            let run = try await program.run(["run", "-q"]) { _ in
                var isBegun = false
                while !isBegun {
                    isBegun = try await program.run("log").output.contains("begun\n")
                }
                let followed = try await program.run(["log", "-f"]) { following in
                    await following.transcript.wait(for: "begun\n")
                    try program.write("", to: "go")
                }
                #expect(followed.status == 0)
                #expect(
                    followed.output.contains("begun\nfinished\nprogram finished with exit code 0\n")
                )
            }
            #expect(run.status == 0)
        }
    }

    // MARK: Folder

    @Test func `git ignores the base folder, and what somebody wrote there stays`() async throws {
        try await afterRun { program in
            #expect(try read(".buildmaster/.gitignore", of: program).contains("*\n"))
            try program.write("!logs\n", to: ".buildmaster/.gitignore")
            _ = try await program.run("run", "docs", "-q")
            #expect(try read(".buildmaster/.gitignore", of: program) == "!logs\n")
        }
    }

    @Test func `a folder with other things in it gets no such file`() async throws {
        try await Program.inFolder(["master.yaml": "steps: []"]) { program in
            let ended = try await program.run("run", "--basedir", ".")
            #expect(ended.status == 0)
            #expect(!program.has(".gitignore"))
        }
    }

    // MARK: clean

    @Test func `the last builds of each builder can be kept`() async throws {
        try await afterRun { program in
            for _ in 1...2 { _ = try await program.run("run", "linux", "-q") }
            let ended = try await program.run("clean", "--keep", "1")
            #expect(ended.status == 0)
            #expect(ended.output.hasPrefix("removed 2 builds, "), "\(ended)")
            let builds = try await program.run("builds").output
            #expect(builds.contains("linux #3") && builds.contains("docs #1"))
            #expect(!builds.contains("linux #1"))
            #expect(!program.has(".buildmaster/logs/linux/2"))
            #expect(program.has(".buildmaster/logs/linux/3/1-compile-stdio.log"))
            #expect(program.has(".buildmaster/work/linux"))
            _ = try await program.run("run", "linux", "-q")
            #expect(try await program.run("builds", "-n", "1").output.contains("linux #4"))
        }
    }

    @Test func `everything is removed, and nothing outside of the folder`() async throws {
        try await afterRun { program in
            let files = FileManager.default
            let (base, outside) = ("\(program.folder)/.buildmaster", "\(program.folder)/precious")
            try files.createDirectory(atPath: outside + "/1", withIntermediateDirectories: true)
            try program.write("kept", to: "precious/1/file")
            // Links in place of a builder's logs, of a file, and in a builder's own folder.
            for link in ["logs/linked", "work/linux/link"] {
                try files.createSymbolicLink(
                    atPath: "\(base)/\(link)", withDestinationPath: outside)
            }
            try files.removeItem(atPath: base + "/logs/docs")
            try files.createSymbolicLink(atPath: base + "/logs/docs", withDestinationPath: outside)
            let ended = try await program.run("clean")
            #expect(ended.output.hasPrefix("removed 2 builds and 2 work folders, "), "\(ended)")
            #expect(try read("precious/1/file", of: program) == "kept")
            #expect(try files.contentsOfDirectory(atPath: base + "/logs") == [])
            #expect(try files.contentsOfDirectory(atPath: base + "/work") == [])
            #expect(try await program.run("builds").output.hasPrefix("no build has run in "))
            #expect(try await program.run("clean").output == "there is nothing to remove\n")
        }
    }

    @Test func `work that is kept elsewhere is left, which is said`() async throws {
        try await Program.inFolder(["master.yaml": "steps: []"]) { program in
            let files = FileManager.default
            let work = program.folder + "/disk"
            for folder in [work, program.folder + "/.buildmaster"] {
                try files.createDirectory(atPath: folder, withIntermediateDirectories: false)
            }
            try files.createSymbolicLink(
                atPath: program.folder + "/.buildmaster/work", withDestinationPath: work)
            #expect(try await program.run("run", "-q").status == 0)
            let ended = try await program.run("clean")
            #expect(
                ended.output.hasSuffix("/.buildmaster/work, which is a symbolic link\n"), "\(ended)"
            )
            #expect(try files.contentsOfDirectory(atPath: work) == ["default"])
        }
    }

    @Test func `builds with reports to be sent are kept`() async throws {
        let file = """
            services: [reporters.HttpStatusPush: "http://127.0.0.1:1/"]
            steps: [steps.ShellCommand: echo kept]
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            #expect(try await program.run("run", "-q", "--drain", "0").status == 0)
            let ended = try await program.run("clean")
            #expect(ended.status == 0)
            #expect(ended.output.contains("kept 1 build with reports to be sent; see "), "\(ended)")
            #expect(program.has(".buildmaster/logs/default/1/1-ShellCommand-stdio.log"))
            #expect(try await program.run("deliveries", "drop", "--all").status == 0)
            #expect(
                try await program.run("clean").output.hasPrefix("removed 1 build and 1 work folder")
            )
        }
    }

    @Test func `a build that one of several reporters has yet to report is kept`() async throws {
        let file = """
            services:
              - reporters.HttpStatusPush: {name: all, serverUrl: "http://127.0.0.1:1/"}
              - reporters.HttpStatusPush:
                  name: requests
                  serverUrl: "http://127.0.0.1:1/"
                  generators: [generators.BuildRequestGenerator]
            steps: []
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            #expect(try await program.run("run", "-q", "--drain", "0").status == 0)
            #expect(try await program.run("deliveries", "drop", "--all").status == 0)
            let store = try DatabaseQueue(
                path: program.folder + "/.buildmaster/buildmaster.sqlite")
            func setCursor(_ value: String) throws {
                try store.write {
                    try $0.execute(
                        sql: "UPDATE reporter SET cursor = \(value) WHERE name = 'requests'")
                }
            }
            try setCursor("0")
            let ended = try await program.run("clean")
            #expect(ended.output.contains("kept 1 build with reports to be sent; see "), "\(ended)")
            try setCursor("(SELECT max(seq) FROM event)")
            #expect(
                try await program.run("clean").output.hasPrefix("removed 1 build and 1 work folder")
            )
        }
    }

    @Test func `nothing is removed while a master uses the folder`() async throws {
        let file = "steps: [steps.ShellCommand: \"until test -e go; do sleep 0.05; done\"]"
        try await Program.inFolder(["master.yaml": file]) { program in
            let run = try await program.run(["run"]) { running in
                await running.transcript.wait(for: "1 ShellCommand  started")
                let ended = try await program.run("clean")
                #expect(ended.status == 1)
                #expect(ended.output == "")
                #expect(ended.error.contains("is in use by another master (process "))
                try program.write("", to: "go")
            }
            #expect(run.status == 0)
        }
    }

    @Test func `logs of earlier versions are shown and removed`() async throws {
        try await afterRun { program in
            // As they were named before builders and numbers stood in the path.
            let base = "\(program.folder)/.buildmaster"
            try FileManager.default.createDirectory(
                atPath: base + "/logs/1", withIntermediateDirectories: false)
            try FileManager.default.moveItem(
                atPath: base + "/logs/linux/1/1-compile-stdio.log",
                toPath: base + "/logs/1/1-stdio.log")
            let store = try DatabaseQueue(path: base + "/buildmaster.sqlite")
            try await store.write {
                try $0.execute(sql: "UPDATE log SET path = 'logs/1/1-stdio.log' WHERE id = 1")
            }
            try store.close()
            let shown = try await program.run("log", "linux", "1", "compile")
            #expect(shown.output.contains("compiled\n"))
            #expect(try await program.run("clean", "--keep", "1").status == 0)
            #expect(program.has(".buildmaster/logs/1/1-stdio.log"))
            #expect(try await program.run("clean").status == 0)
            #expect(!program.has(".buildmaster/logs/1"))
        }
    }
}
