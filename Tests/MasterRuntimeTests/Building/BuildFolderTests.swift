import FoundationEssentials
import MasterKit
import MasterRuntime
import Testing

/// The folder and environment of a build's commands.
struct BuildFolderTests {
    @Test func `the folder of the build is there again after a step has removed it`() async throws {
        let yaml = """
            builders:
              - name: default
                workdir: !Property builddir
                steps:
                  - steps.RemoveDirectory: .
                  - steps.ShellCommand: pwd
                  - steps.ShellCommand: {command: pwd, workdir: sub, flunkOnFailure: false}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(
                build.steps.map(\.stateString) == [
                    "removed .", "'pwd'", "'pwd': folder not found (failure)",
                ])
        }
    }

    @Test func `each builder has a folder of its own while it builds`() async throws {
        let yaml = """
            builders:
              - name: linux/x86 (ü)
                workdir: !Property builddir
                steps: [steps.ShellCommand: pwd, steps.ShellCommand: 'echo 1 > made']
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
            let folder = "\(bench.basedir)/work/linux%2fx86%20%28ü%29"
            #expect(try bench.log("stdio", of: build).contains("o\(folder)\n"))
            #expect(try bench.read("\(folder)/made") == "1\n")
            #expect(build.build.properties["builddir"] == .string(folder))
        }
    }

    @Test func `without a source commands run beside the master.yaml`() async throws {
        let yaml = """
            builders:
              - {name: plain, steps: [steps.ShellCommand: pwd]}
              - name: below
                workdir: a
                steps:
                  - steps.ShellCommand: pwd
                  - steps.ShellCommand: {command: pwd, workdir: ../b}
                  - steps.ShellCommand: {command: pwd, workdir: !Property basedir}
            """
        try await MasterBench.with(yaml) { bench in
            for name in ["a", "b"] {
                try FileManager.default.createDirectory(
                    atPath: "\(bench.folder)/\(name)", withIntermediateDirectories: false)
            }
            let builds = try await bench.build(slots: 1)
            #expect(try bench.log("stdio", of: builds[0]).contains("o\(bench.folder)\n"))
            for (step, folder) in [(1, "/a"), (2, "/b"), (3, "/.buildmaster")] {
                let log = try bench.log("stdio", of: builds[1], step: step)
                #expect(log.contains("o\(bench.folder)\(folder)\n"))
            }
        }
    }

    @Test func `with a source step all steps run in the builder's own folder`() async throws {
        let commit = "git -c user.name=a -c user.email=a@example.com commit -q -m one"
        let yaml = """
            steps:
              - steps.MasterShellCommand: mkdir source && cd source && git init -q && echo one > f && git add f && \(commit)
              - steps.ShellCommand: pwd
              - steps.Git: {repourl: source, alwaysUseLatest: true}
              - steps.ShellCommand: cat f
              - steps.ShellCommand: {command: pwd, workdir: ..}
              - steps.Git: {repourl: source, workdir: !Interpolate "%(prop:builddir)s/../..", flunkOnFailure: false}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            let folder = "\(bench.basedir)/work/default"
            #expect(build.build.results == .success, "\(build.steps.map(\.stateString))")
            #expect(try bench.log("stdio", of: build, step: 2).contains("o\(folder)/build\n"))
            #expect(try bench.log("stdio", of: build, step: 4).contains("oone\n"))
            #expect(try bench.log("stdio", of: build, step: 5).contains("o\(folder)\n"))
            #expect(build.steps[5].stateString.hasSuffix("and is not used (failure)"))
            guard case .string(let revision)? = build.build.properties["got_revision"] else {
                Issue.record("no got_revision")
                return
            }
            #expect(build.steps[2].stateString == "\(revision.prefix(7))")
        }
    }

    @Test func `the environment of a step wins over that of its builder`() async throws {
        let yaml = """
            builders:
              - name: one
                env: {A: builder, B: !Property buildername, HOME: null, LIST: [x, y]}
                steps:
                  - steps.ShellCommand:
                      command: echo "$A,$B,${HOME-none},$LIST"
                      env: {A: step}
            """.replacing("$", with: "\u{1}")
        try await MasterBench.with(yaml) { bench in
            try bench.write(yaml.replacing("\u{1}", with: "$"), to: "master.yaml")
            let build = try await bench.buildOne()
            #expect(try bench.log("stdio", of: build).contains("ostep,one,none,x:y\n"))
        }
    }

    @Test func `a folder that can't be made is an exception that says so`() async throws {
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            try FileManager.default.createDirectory(
                atPath: bench.basedir, withIntermediateDirectories: false)
            try bench.write("no folder", to: ".buildmaster/work")
            let build = try await bench.buildOne()
            #expect(build.build.results == .exception)
            #expect(build.steps.isEmpty)
            #expect(build.build.stateString.hasPrefix("exception: "))
            #expect(build.build.stateString.contains("\(bench.basedir)/work"))
        }
    }
}
