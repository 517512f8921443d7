import Foundation
import MasterKit
import Testing

@Suite(.timeLimit(.minutes(2)))
struct CheckCommandTests {
    private static let good = """
        services:
          - reporters.HttpStatusPush: http://127.0.0.1:9980/status
        factories:
          one:
            - steps.ShellCommand: "true"
            - steps.ShellCommand: "true"
        builders:
          - {name: linux, factory: one}
          - {name: mac, factory: one}
        """

    private static let bad = """
        services:
          - reporters.HttpStatusPush:
              serverURL: http://127.0.0.1:9980/status
        stepz:
          - steps.ShellCommand: "true"
        """

    @Test func `a right file is said to be right, with what it declares`() async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.good]) {
            try await $0.run("check")
        }
        #expect(ended.status == 0)
        #expect(ended.output == "master.yaml: 2 builders, 4 steps, 1 reporter\n")
        #expect(ended.error == "")
    }

    @Test func `its older name is known`() async throws {
        let ended = try await Program.inFolder(["other.yaml": Self.good]) {
            try await $0.run("checkconfig", "-c", "other.yaml")
        }
        #expect(ended.output == "other.yaml: 2 builders, 4 steps, 1 reporter\n")
    }

    @Test func `every mistake of a file is shown with its place`() async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.bad]) {
            try await $0.run("check")
        }
        #expect(ended.status == 2)
        #expect(ended.output.contains("master.yaml:3:7: error: "))
        #expect(ended.output.contains("did you mean 'serverUrl'?"))
        #expect(ended.output.contains("master.yaml:4:1: error: "))
        #expect(ended.output.contains("errors in master.yaml\n"))
        #expect(!ended.output.contains("\u{1B}"))
    }

    @Test func `machines get one object with the same`() async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.bad]) {
            try await $0.run("check", "--format", "json")
        }
        #expect(ended.status == 2)
        let report = try JSONValue(parsing: ended.output)
        #expect(report["formatVersion"] == 1)
        #expect(report["valid"] == false)
        let all = try #require(report["diagnostics"]?.arrayValue)
        let misspelt = try #require(all.first { $0["line"] == 3 })
        #expect(misspelt["severity"] == "error")
        #expect(misspelt["file"] == "master.yaml")
        #expect(misspelt["column"] == 7)
        #expect(misspelt["endLine"] == 3)
        #expect(misspelt["endColumn"] == 16)
        #expect(misspelt["message"]?.stringValue?.contains("'serverUrl'") == true)
    }

    @Test func `characters that end a line elsewhere are no end of a line in JSON`() async throws {
        let text = "title: [a\u{2028}b: c: d]\n"
        let ended = try await Program.inFolder(["master.yaml": text]) {
            try await $0.run("check", "--format", "json")
        }
        #expect(ended.status == 2)
        #expect(ended.output.unicodeScalars.contains("\u{2028}"))
        #expect(throws: Never.self) { try JSONValue(parsing: ended.output) }
    }

    @Test func `random and mutated files are checked without a crash`() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../.ci/fuzz.py").standardized.path
        let ended = try await Program.inFolder([:]) { program in
            try await program.run(
                [script, Program.path, "150000", "1"], executable: "/usr/bin/python3"
            ) { _ in }
        }
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
    }

    @Test func `machines get an empty list for a right file`() async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.good]) {
            try await $0.run("check", "--format", "json")
        }
        #expect(ended.status == 0)
        #expect(
            try JSONValue(parsing: ended.output)
                == [
                    "formatVersion": 1, "valid": true, "files": ["master.yaml"],
                    "diagnostics": [],
                ])
    }

    @Test func `a missing file is an error that names the option`() async throws {
        let ended = try await Program.inFolder { try await $0.run("check") }
        #expect(ended.status == 2)
        #expect(ended.output.contains("no such file; pass its path with -c FILE"))
    }

    @Test func `absent secrets are said only when they are asked for`() async throws {
        let file = """
            secrets: [secrets.Environment]
            steps:
              - steps.POST: {url: "http://127.0.0.1/", headers: {X-Key: !Secret no_such_key}}
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            let without = try await program.run("check")
            #expect(without.status == 0)
            let with = try await program.run("check", "--secrets")
            #expect(with.status == 2)
            #expect(with.output.contains("master.yaml:3:"))
            #expect(with.output.contains("the secret 'no_such_key'"))
        }
    }

    @Test func `GitHub gets an annotation for each mistake`() async throws {
        let ended = try await Program.inFolder(["master.yaml": Self.bad]) { program in
            var program = program
            program.environment["GITHUB_ACTIONS"] = "true"
            return try await program.run("check")
        }
        #expect(ended.output.contains("\n::error file=master.yaml,line=3,col=7,endLine=3,"))
    }

    private static let odd = """
        steps: [steps.ShellCommand: "true"]
        factories: {unused: []}
        """

    @Test func `several files and folders are checked at once, and the worst one counts`()
        async throws
    {
        let files = ["master.yaml": Self.bad, "b.yaml": Self.good, "other.yaml": "a: [steps.X: 1]"]
        try await Program.inFolder(files) { program in
            let subfolders = ["sub/deep", "sub/.hidden", "empty"]
            for name in subfolders {
                try FileManager.default.createDirectory(
                    atPath: "\(program.folder)/\(name)", withIntermediateDirectories: true)
            }
            try program.write(Self.good, to: "sub/deep/master.yml")
            try program.write(Self.bad, to: "sub/.hidden/master.yaml")
            try program.write("services: {web: {image: nginx}}", to: "sub/compose.yaml")
            try program.write("steps: [{script: make}, uses: a/b]", to: "sub/pipeline.yaml")
            let all = try await program.run("check", ".", "--format", "json")
            #expect(all.status == 2)
            let report = try JSONValue(parsing: all.output)
            #expect(report["files"] == ["b.yaml", "master.yaml", "sub/deep/master.yml"])
            let good = try await program.run("check", "sub", "b.yaml", "-c", "b.yaml")
            #expect(good.status == 0)
            #expect(
                good.output == """
                    b.yaml: 2 builders, 4 steps, 1 reporter
                    sub/deep/master.yml: 2 builders, 4 steps, 1 reporter

                    """)
            let none = try await program.run("check", "empty", "b.yaml", "nowhere")
            #expect(none.status == 2)
            #expect(none.output.contains("empty: error: this folder has neither a master.yaml"))
            #expect(none.output.contains("nowhere: error: no such file or folder"))
            #expect(none.output.contains("b.yaml: 2 builders"))
            #expect(!program.has(".buildmaster") && !program.has("sub/deep/.buildmaster"))
        }
    }

    @Test func `with --strict a warning is as bad as an error`() async throws {
        try await Program.inFolder(["master.yaml": Self.odd]) { program in
            #expect(try await program.run("check").status == 0)
            let strict = try await program.run("check", "--strict", "--format", "github")
            #expect(strict.status == 2)
            #expect(strict.output.hasPrefix("::warning file=master.yaml,line=2,col=13,"))
            #expect(strict.output.split(separator: "\n").count == 1)
        }
    }
}
