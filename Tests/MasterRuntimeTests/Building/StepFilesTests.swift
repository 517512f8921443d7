import FoundationEssentials
import MasterKit
import MasterRuntime
import Testing

/// Where the paths of steps lead in a build.
struct StepFilesTests {
    @Test func `paths start from the folder of the step, and a working tree is safe`() async throws
    {
        let yaml = """
            steps:
              - steps.MakeDirectory: made
              - steps.RemoveDirectory: {dir: build, flunkOnFailure: false}
              - steps.CopyDirectory: {src: build, dest: !Interpolate "%(prop:builddir)s/copy"}
              - steps.MakeDirectory: {dir: sub, workdir: !Property builddir}
              - steps.RemoveDirectory: {dir: copy, workdir: !Property builddir}
              - steps.FileUpload: {workersrc: build/f, masterdest: out/f, workdir: .}
              - steps.FileDownload: {mastersrc: out/f, workerdest: f, workdir: !Property builddir}
              - steps.MasterShellCommand: cat out/f
              - steps.Test: {command: 'true', junit: "*.xml", workdir: build, flunkOnFailure: false}
            """
        try await MasterBench.with(yaml) { bench in
            try FileManager.default.createDirectory(
                atPath: bench.folder + "/build", withIntermediateDirectories: true)
            try bench.write("precious", to: "build/f")
            try bench.write("<testsuite><testcase/></testsuite>", to: "build/a.xml")
            let build = try await bench.buildOne()
            let work = bench.basedir + "/work/default"
            #expect(
                build.steps.map(\.stateString) == [
                    "made made",
                    "\(bench.folder)/build is outside of \(bench.basedir)/work and not removed (failure)",
                    "copied build to \(work)/copy", "made sub", "removed copy", "uploaded build/f",
                    "downloaded out/f", "'cat out/f'", "1 test",
                ])
            #expect(build.build.results == .success)
            #expect(try bench.read(bench.folder + "/build/f") == "precious")
            #expect(try bench.read(work + "/f") == "precious")
            #expect(try bench.files(in: work).sorted() == ["\(work)/f", "\(work)/sub"])
            #expect(FileManager.default.fileExists(atPath: bench.folder + "/made"))
        }
    }

    @Test func `a command on the master has no variables of the builder`() async throws {
        let yaml = """
            builders:
              - name: b
                env: {BUILDER_VARIABLE: x}
                steps:
                  - steps.ShellCommand: printenv BUILDER_VARIABLE
                  - steps.MasterShellCommand: "! printenv BUILDER_VARIABLE"
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.results) == [.success, .success])
        }
    }

    @Test func `a file of several megabytes passes in both directions`() async throws {
        let yaml = """
            steps:
              - steps.ShellCommand: {command: head -c 5000000 /dev/urandom > big, workdir: !Property builddir}
              - steps.FileUpload: {workersrc: big, masterdest: out/big, workdir: !Property builddir}
              - steps.FileDownload: {mastersrc: out/big, workerdest: back, workdir: !Property builddir}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
            let work = bench.basedir + "/work/default"
            #expect(try bench.bytes(work + "/big") == bench.bytes(work + "/back"))
            #expect(try bench.files(in: work).count == 2)
        }
    }

    @Test func `an error that is not expected is told in the state`() async throws {
        let yaml = "steps: [steps.Assert: {check: !Property buildername}]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(
                build.steps.map(\.stateString) == [
                    "line 1: 'check' of steps.Assert must be true or false, not 'default' (exception)"
                ])
        }
    }
}
