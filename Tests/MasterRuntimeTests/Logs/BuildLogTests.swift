import FoundationEssentials
import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// The logs of the steps of a build.
struct BuildLogTests {
    @Test func `a log has its name, its lines and its file`() async throws {
        let scripts: [String: Scripts.Script] = [
            "log": { context in
                let log = try await context.openLog("a log")
                try await log.line("out")
                try await log.write(Array("err".utf8)[...], to: .stderr)
                try await context.openLog("a log", kind: .text).line("again")
                return .success
            }
        ]
        try await MasterBench.with("steps: [steps.Play: $log]", scripts: scripts) { bench in
            let events = try await bench.events(of: [.logNew, .logFinished])
            let logs = events.filter { $0.kind == .logFinished }.map(\.record)
            #expect(logs.map { $0["name"] } == ["a log", "a log"])
            #expect(logs.map { $0["slug"] } == ["a_log", "a_log_2"])
            #expect(logs.map { $0["num_lines"] } == [2, 1])
            #expect(logs.map { $0["type"] } == ["s", "t"])
            let path = "\(bench.basedir)/logs/default/1/1-Play-a_log.log"
            #expect(try bench.read(path) == "oout\neerr\n")
        }
    }

    @Test(arguments: [
        ("iso-8859-1", "caf\u{E9}"), ("ascii", "caf\u{FFFD}"), ("utf-8", "caf\u{FFFD}"),
    ])
    func `output is read in the encoding of the step`(
        _ encoding: String, _ text: String
    ) async throws {
        let yaml = #"""
            steps:
              - steps.SetPropertyFromCommand:
                  command: [printf, '%b', 'caf\0351\n']
                  property: word
                  logEncoding: \#(encoding)
            """#
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.properties["word"] == .string(text))
            #expect(try bench.log("stdio", of: build).contains("\no\(text)\n"))
        }
    }

    @Test func `a step can have longer and shorter logs`() async throws {
        let yaml = """
            steps:
              - steps.ShellCommand: {command: "seq 100000", max_log_size: 4KiB}
              - steps.ShellCommand: {command: "seq 100000", max_log_size: 0}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
            let cut = try bench.read(try #require(build.logs[1]?.first))
            #expect(cut.contains("\nhlog truncated after 409"))
            #expect(cut.contains(" bytes dropped; the end of the log follows\n"))
            #expect(cut.contains("\no100000\nhprogram finished with exit code 0\n"))
            #expect(cut.utf8.count < 8400)
            #expect(try bench.read(try #require(build.logs[2]?.first)).contains("\no100000\n"))
        }
    }

    @Test(arguments: ["file", "folder"])
    func `a log that can't be written ends the step as exception, with one clear error`(
        _ fault: String
    ) async throws {
        let yaml = """
            steps:
              - steps.ShellCommand: echo hello
              - steps.Give: success
              - steps.Give: {result: success, alwaysRun: true}
            """
        try await MasterBench.with(yaml) { bench in
            let files = FileManager.default
            let logs = "\(bench.basedir)/logs"
            try files.createDirectory(atPath: bench.basedir, withIntermediateDirectories: true)
            if fault == "file" {
                try bench.write("no folder", to: ".buildmaster/logs")
            } else {
                try files.createDirectory(
                    atPath: "\(logs)/default/1/1-ShellCommand-stdio.log",
                    withIntermediateDirectories: true)
            }
            let build = try await bench.buildOne()
            #expect(
                build.outline == [
                    "exception: exception: log not written",
                    "ShellCommand: exception: log not written", "Give: finished",
                ])
            let errors = bench.messages.texts(at: .error)
            #expect(errors.count == 1)
            let fault = "the log \(logs)/default/1/1-ShellCommand-stdio.log cannot be written"
            #expect(errors.first?.contains(fault) == true)
        }
    }
}
