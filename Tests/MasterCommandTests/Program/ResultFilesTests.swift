import FoundationEssentials
import MasterKit
import Testing

/// The files that `run` writes with its results.
@Suite(.timeLimit(.minutes(2)))
struct ResultFilesTests {
    private static let file = #"""
        title: A <B> & "C"
        builders:
          - name: linux
            steps:
              - steps.ShellCommand: {name: compile, command: "true"}
              - steps.ShellCommand:
                  name: unit <tests>
                  command: "printf '\\033[31mbad & ]]> ```\\033[0m \\001\\n'; exit 3"
              - steps.ShellCommand: {name: never, command: "true", doStepIf: false}
          - {name: after, needs: linux, steps: []}
          - name: broken
            steps: [steps.ShellCommand: !Property missing]
        """#

    /// Checks the lines against the schema, and that a wrong line is found.
    private static let validator = """
        import json, jsonschema
        schema = json.load(open("schema.json"))
        validator = jsonschema.Draft202012Validator(schema)
        validator.check_schema(schema)
        lines = [json.loads(line) for line in open("lines.json")]
        for line in lines: validator.validate(line)
        for wrong in ({"event": "build.flown"}, {"formatVersion": 2}, {"record": {}}):
            assert not validator.is_valid({**lines[0], **wrong})
        print(len(lines), "valid")
        """

    private func read(_ name: String, of program: Program) throws -> String {
        String(
            decoding: try Data(contentsOf: URL(filePath: "\(program.folder)/\(name)")),
            as: UTF8.self)
    }

    @Test func `JUnit XML has a suite for each build and a case for each step`() async throws {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            let ended = try await program.run("run", "-q", "-j", "1", "--junit", "out.xml")
            #expect(ended.status == 1)
            let text = try read("out.xml", of: program)
            let lines = text.split(separator: "\n").map {
                $0.replacing(#/ (time|timestamp)="[^"]*"/#, with: "").drop(while: \.isWhitespace)
            }
            let counts = #"tests="5" failures="1" errors="1" skipped="2""#
            #expect(
                lines.prefix(5) == [
                    #"<?xml version="1.0" encoding="UTF-8"?>"#,
                    "<testsuites name=\"A &lt;B&gt; &amp; &quot;C&quot;\" \(counts)>",
                    #"<testsuite name="linux #1" tests="3" failures="1" errors="0" skipped="1">"#,
                    #"<testcase classname="linux" name="compile"/>"#,
                    #"<testcase classname="linux" name="unit &lt;tests&gt;">"#,
                ])
            #expect(text.contains("<failure message=\"'printf "))
            #expect(text.contains(">bad &amp; ]]&gt; ``` \nprogram finished"))
            #expect(
                text.contains("<skipped message=\"skipped ('linux' ended as failure)\"/>"))
            #expect(text.contains("<error message=\"exception: missing is not set\""))
            #expect(text.hasSuffix("</testsuites>\n"))
        }
    }

    @Test func `a skipped step has no message that only repeats the result`() async throws {
        let file = "steps: [steps.ShellCommand: {command: 'true', doStepIf: false}]"
        try await Program.inFolder(["master.yaml": file]) { program in
            let ended = try await program.run("run", "-q", "--junit", "out.xml")
            #expect(ended.status == 0)
            #expect(try read("out.xml", of: program).contains("      <skipped/>\n"))
        }
    }

    @Test(arguments: [
        (["--junit", "master.yaml"], "--junit master.yaml: this is the configuration file;"),
        (["--summary", "summary-link"], "--summary summary-link: this is the configuration file;"),
        (["--junit", ".buildmaster/state.db"], "this is in the folder "),
        (["--junit", "here/.buildmaster/a"], "this is in the folder "),
        (["--junit", "a", "--summary", "./here/a"], "--junit and --summary name the same file"),
    ])
    func `a result file that would replace another one is an error`(
        arguments: [String], message: String
    ) async throws {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            for (link, target) in [("summary-link", "master.yaml"), ("here", ".")] {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(program.folder)/\(link)", withDestinationPath: target)
            }
            let ended = try await program.run(["run"] + arguments) { _ in }
            #expect(ended.status == 64)
            #expect(ended.error.contains(message), "\(ended.error)")
            #expect(try read("master.yaml", of: program) == Self.file)
            #expect(!program.has(".buildmaster"))
        }
    }

    @Test func `the summary is a table with the end of each failed log`() async throws {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            let ended = try await program.run("run", "-q", "-j", "1", "--summary", "out.txt")
            #expect(ended.status == 1)
            let text = try read("out.txt", of: program)
            #expect(text.hasPrefix("## ✗ A \\<B\\> & \"C\": exception\n\n3 builds in "))
            #expect(text.contains("| Build | Result | Duration | State |\n|---|---|---|---|\n"))
            #expect(text.contains("| ✗ linux \\#1 | failure | "))
            #expect(text.contains("| - after \\#1 | skipped | "))
            #expect(text.contains("### ✗ linux \\#1: unit \\<tests\\>\n"))
            // The fence is longer than the one in the output.
            #expect(text.contains("\n````text\n"))
            #expect(text.contains("\nbad & ]]> ``` \n"))
        }
    }

    @Test func `a file that can't be written is found before anything runs`() async throws {
        try await Program.inFolder(["master.yaml": "steps: []"]) { program in
            let missing = try await program.run("run", "--junit", "no/such/out.xml")
            #expect(missing.status == 64)
            #expect(missing.error.hasPrefix("error: --junit no/such/out.xml: there is no folder "))
            let folder = try await program.run("run", "--summary", ".")
            #expect(folder.status == 64)
            #expect(folder.error == "error: --summary .: this is a folder; name a file in it\n")
            #expect(!program.has(".buildmaster"))
        }
    }

    @Test(arguments: [false, true])
    func `every line of --json is an event, and the last one the result`(
        isVerbose: Bool
    ) async throws {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            let more = isVerbose ? ["--verbose"] : []
            let ended = try await program.run(["run", "--json", "-j", "1"] + more) { _ in }
            #expect(ended.status == 1)
            let lines = try ended.output.split(separator: "\n").map {
                try JSONValue(parsing: String($0))
            }
            #expect(lines.allSatisfy { $0["formatVersion"] == 1 && $0["at_ms"]?.intValue != nil })
            let events = lines.compactMap { $0["event"]?.stringValue }
            #expect(events.first == "buildset.new")
            #expect(events.last == "run.finished")
            #expect(events.count { $0 == "build.new" } == 3)
            #expect(events.count { $0 == "build.finished" } == 3)
            #expect(events.contains("log.appended") == isVerbose)
            let ends = lines.filter { $0["event"] == "build.finished" }.map {
                $0["record"] ?? .null
            }
            #expect(ends.map { $0["results"] } == [2, 3, 4])
            #expect(ends.map { $0["builder"]?["name"] } == ["linux", "after", "broken"])
            #expect(ends.map { $0["buildid"] } == [1, 2, 3])
            let started = lines.filter { $0["event"] == "step.started" }
            #expect(started.compactMap { $0["buildid"]?.intValue } == [1, 1, 1, 3])
            let result = lines.last?["record"]
            #expect(result?["result_name"] == "exception")
            try program.write(ended.output, to: "lines.json")
            let schema = try await program.run("run", "--json-schema")
            try program.write(schema.output, to: "schema.json")
            let check = try await program.run(
                ["python3", "-c", Self.validator], executable: "/usr/bin/env"
            ) { _ in }
            #expect(check.output == "\(lines.count) valid\n", "\(check.output)\(check.error)")
            #expect(result?["builds"] == 3)
        }
    }

    @Test func `an unimportant build does not decide the exit status`() async throws {
        let yaml = """
            builders:
              - name: all
                steps:
                  - steps.Trigger:
                      {builderNames: [good, bad], unimportantBuilderNames: bad, waitForFinish: true}
              - {name: good, triggeredOnly: true, steps: [steps.ShellCommand: 'true']}
              - name: bad
                triggeredOnly: true
                steps:
                  - steps.ShellCommand: {command: 'false', haltOnFailure: true}
                  - steps.ShellCommand: {name: later, command: 'true'}
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let ended = try await program.run("run", "--summary", "summary", "--junit", "junit")
            #expect(ended.status == 0, "\(ended)")
            let junit = try read("junit", of: program)
            let counts = #" tests="4" failures="0" errors="0" skipped="2">"#
            #expect(junit.contains(counts), "\(junit)")
            #expect(junit.contains(#"      <skipped message="unimportant failure: 'false'"#))
            #expect(ended.output.contains("✗ bad #1          failure  "))
            #expect(ended.output.contains(" s  unimportant\n"))
            #expect(ended.output.contains("\nsuccess: 3 builds in "))
            let summary = try String(
                decoding: Data(contentsOf: URL(filePath: program.folder + "/summary")),
                as: UTF8.self
            )
            #expect(summary.hasPrefix("## ✓ "))
            let lines = try await program.run("run", "--json")
            #expect(lines.status == 0)
            let last = try JSONValue(
                parsing: String(lines.output.split(separator: "\n").last ?? ""))
            #expect(last["record"]?["result_name"] == "success")
            let bad = last["record"]?["unimportant_builds"]?.arrayValue ?? []
            #expect(bad.count == 1)
            #expect(
                last["record"]?["not_reached"]?.arrayValue
                    == bad.map { ["buildid": $0, "steps": ["later"]] })
        }
    }

    @Test func `the list of builders has a form for programs`() async throws {
        try await Program.inFolder(["master.yaml": Self.file]) { program in
            let ended = try await program.run("run", "--list", "--json")
            let builders = try JSONValue(parsing: ended.output)["builders"]?.arrayValue ?? []
            #expect(builders.map { $0["name"] } == ["linux", "after", "broken"])
            #expect(builders.map { $0["needs"] } == [[], ["linux"], []])
        }
    }
}
