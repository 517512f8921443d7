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
              - steps.RemoveDirectory: {dir: build, flunkOnFailure: false, haltOnFailure: false}
              - steps.CopyDirectory: {src: build, dest: !Interpolate "%(prop:builddir)s/copy"}
              - steps.MakeDirectory: {dir: sub, workdir: !Property builddir}
              - steps.RemoveDirectory: {dir: copy, workdir: !Property builddir}
              - steps.FileUpload: {workersrc: build/f, masterdest: out/f, workdir: .}
              - steps.FileDownload: {mastersrc: out/f, workerdest: f, workdir: !Property builddir}
              - steps.MasterShellCommand: cat out/f
              - steps.Test: {command: touch a.xml, junit: "*.xml", workdir: build, flunkOnFailure: false}
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

    @Test func `work that a build replaces with a link is not what steps delete in`() async throws {
        let yaml = """
            steps:
              - steps.MakeDirectory: src
              - steps.ShellCommand: >-
                  mkdir -p disk/deep && rm -r .buildmaster/work && ln -s ../disk .buildmaster/work
              - steps.RemoveDirectory: {dir: .buildmaster/work/deep, haltOnFailure: false}
              - steps.CopyDirectory: {src: src, dest: .buildmaster/work/g2, haltOnFailure: false}
              - steps.RemoveDirectory: {dir: .buildmaster/work, outside: true, haltOnFailure: false}
              - steps.RemoveDirectory: {dir: .buildmaster/work/deep, outside: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            let why = "because the folder of builds is a symbolic link (failure)"
            #expect(
                build.steps.dropFirst(2).map(\.stateString) == [
                    "\(bench.folder)/.buildmaster/work/deep is not removed \(why)",
                    "\(bench.folder)/.buildmaster/work/g2 is not overwritten \(why)",
                    "\(bench.folder)/.buildmaster/work is the folder of builds and is not removed "
                        + "(failure)",
                    "removed .buildmaster/work/deep",
                ])
            #expect(!FileManager.default.fileExists(atPath: bench.folder + "/disk/g2"))
            #expect(!FileManager.default.fileExists(atPath: bench.folder + "/disk/deep"))
        }
    }

    @Test(arguments: [
        "buildmaster.sqlite", "buildmaster.sqlite-wal", "logs", "logs/default/1/x", "lock",
        "commands", "work/../logs", "../link/logs", "work/logs",
    ])
    func `files of the master are not written or removed by steps`(_ name: String) async throws {
        let path = ".buildmaster/" + name
        let yaml = """
            steps:
              - steps.ShellCommand: ln -s .buildmaster link; ln -s ../logs .buildmaster/work/logs
              - steps.MakeDirectory: src
              - steps.StringDownload: {s: x, workerdest: f}
              - steps.MakeDirectory: {dir: PATH/made}
              - steps.RemoveDirectory: {dir: PATH/x, outside: true}
              - steps.CopyDirectory: {src: src, dest: PATH/x, outside: true}
              - steps.FileUpload: {workersrc: f, masterdest: PATH/x}
              - steps.FileUpload: {workersrc: f, masterdest: PATH/x, outside: true}
              - steps.FileDownload: {mastersrc: f, workerdest: PATH/x, outside: true}
              - steps.StringDownload: {s: x, workerdest: PATH/x}
              - steps.JSONStringDownload: {o: x, workerdest: PATH/x, outside: true}
            """
        // Both the path itself, unless it is a link in the folder of builds, and one below it.
        for form in name == "work/logs" ? ["PATH/x"] : ["PATH/x", "PATH"] {
            let yaml = yaml.replacing("PATH/x", with: form).replacing("PATH", with: path)
                .replacing("}", with: ", haltOnFailure: false}")
            try await MasterBench.with(yaml) { bench in
                let build = try await bench.buildOne()
                let states = build.steps.dropFirst(3).map(\.stateString)
                let verbs = ["created", "removed", "overwritten"]
                #expect(states.count == 8)
                for (index, state) in states.enumerated() {
                    let verb = index < verbs.count ? verbs[index] : "written"
                    #expect(
                        state.hasSuffix(" belongs to the master and is not \(verb) (failure)"))
                }
                let logs = bench.basedir + "/logs/default/1"
                #expect(FileManager.default.fileExists(atPath: logs))
                #expect(!FileManager.default.fileExists(atPath: logs + "/x"))
            }
        }
    }

    @Test func `files beside those of the master are written, the configuration only if meant`()
        async throws
    {
        let yaml = """
            steps:
              - steps.ShellCommand: cp master.yaml f; ln -s master.yaml link
              - steps.FileUpload: {workersrc: f, masterdest: !Interpolate "%(prop:basedir)s/f"}
              - steps.FileUpload: {workersrc: f, masterdest: .buildmaster/work/default/f}
              - steps.FileUpload: {workersrc: f, masterdest: .buildmaster/work, outside: true, haltOnFailure: false}
              - steps.FileUpload: {workersrc: f, masterdest: master.yaml, haltOnFailure: false}
              - steps.FileUpload: {workersrc: f, masterdest: link}
              - steps.FileUpload: {workersrc: f, masterdest: master.yaml, outside: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(
                build.steps.dropFirst().map(\.stateString) == [
                    "uploaded f", "uploaded f",
                    "\(bench.basedir)/work is the folder of builds and is not written (failure)",
                    "\(bench.path) is the master's configuration and not written (failure)",
                    "uploaded f", "uploaded f",
                ])
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
                    "exception: 'check' of steps.Assert must be true or false, not 'default'"
                ])
        }
    }
}
