import FoundationEssentials
import Subprocess
import Testing

/// `run --watch` and `run --pause-on-failure`, as somebody at a terminal uses them.
@Suite(.timeLimit(.minutes(3)))
struct WatchTests {
    /// Waits until a file has a number of lines; fails after a minute.
    private static let wait = """
        lines() {
            for try in $(seq 1200); do
                [ "$(wc -l < $1 2>/dev/null || echo 0)" -ge $2 ] && return
                sleep 0.05
            done
            echo "$1 does not get $2 lines"; cat out; kill -9 $master; exit 9
        }

        """

    private static let yaml = """
        steps:
          - steps.ShellCommand: {command: 'cat input >> seen; echo run >> runs', haltOnFailure: true}
        """

    @Test func `a master follows links to its file, and folders that are exchanged`() async throws {
        func yaml(_ name: String) -> String { "builders: [{name: \(name), steps: []}]" }
        let files = ["first/master.yaml": yaml("one"), "second/master.yaml": yaml("two")]
        try await Program.inFolder(files) { program in
            let line = """
                ln -s first data; mkdir mount; ln -s ../data/master.yaml mount/master.yaml
                exec $0 start --watch -c mount/master.yaml
                """
            let ended = try await program.runMerged(
                ["-c", line, Program.path], executable: "/bin/sh"
            ) { running in
                func shell(_ line: String) async throws {
                    _ = try await program.run(["-c", line], executable: "/bin/sh") { _ in }
                }
                await running.transcript.wait(for: "ready: ")
                try await shell("ln -s second new; mv -T new data")
                await running.transcript.wait(for: "added: builder 'two'")
                try program.write(yaml("three"), to: "second/master.yaml")
                await running.transcript.wait(for: "added: builder 'three'")
                try program.write(yaml("four"), to: "third/master.yaml")
                try await shell("mv second old; mv third second")
                await running.transcript.wait(for: "added: builder 'four'")
                try await shell("rm -r second")
                await running.transcript.wait(for: "no such file")
                try program.write(yaml("five"), to: "second/master.yaml")
                await running.transcript.wait(for: "added: builder 'five'")
                try program.write(yaml("six"), to: "second/master.yaml")
                await running.transcript.wait(for: "added: builder 'six'")
                try running.send(.terminate)
            }
            #expect(ended.status == 0)
        }
    }

    @Test func `a change of a file that git does not ignore starts another run`() async throws {
        let files = [
            "master.yaml": Self.yaml, "input": "one\n", ".gitignore": "seen\nruns\nout*\n",
        ]
        try await Program.inFolder(files) { program in
            let script =
                Self.wait + """
                    git init -q . && mkdir sub && touch sub/f && git add . || exit 8
                    "$0" run --watch > out 2>&1 & master=$!
                    lines runs 1; until grep -q '^watching ' out; do sleep 0.05; done
                    touch out-ignored .git/x; echo two > input
                    lines runs 2; until [ $(grep -c '^watching ' out) = 2 ]; do sleep 0.05; done
                    echo more > sub/f
                    lines runs 3; until [ $(grep -c '^watching ' out) = 3 ]; do sleep 0.05; done
                    mkdir -p new/deep; sleep 0.6; echo x > new/deep/file
                    lines runs 4; until [ $(grep -c '^watching ' out) = 4 ]; do sleep 0.05; done
                    kill -INT $master; wait $master; echo status $? >> out; cat out
                    """
            let ended = try await program.run(["-c", script, Program.path], executable: "/bin/sh") {
                _ in
            }
            #expect(ended.status == 0, "\(ended.output)")
            #expect(ended.output.contains("changed: input; running again\n"))
            #expect(ended.output.contains("changed: sub/f; running again\n"))
            #expect(ended.output.contains("changed: new/deep/file; running again\n"))
            #expect(ended.output.hasSuffix("status 130\n"))
            #expect(!ended.output.contains("out-ignored"))
            let seen = try String(
                decoding: Data(contentsOf: URL(filePath: program.folder + "/seen")), as: UTF8.self)
            #expect(seen == "one\ntwo\ntwo\ntwo\n")
        }
    }

    @Test func `files that steps write in every run do not start runs for ever`() async throws {
        try await Program.inFolder(["master.yaml": Self.yaml, "input": "one\n"]) { program in
            let script =
                Self.wait + """
                    mkdir ../$$; out=../$$/out
                    "$0" run --watch > $out 2>&1 & master=$!
                    until grep -q '^watching ' $out; do sleep 0.05; done
                    kill -TERM $master; wait $master; cat $out; rm -r ../$$
                    """
            let ended = try await program.run(["-c", script, Program.path], executable: "/bin/sh") {
                _ in
            }
            #expect(ended.status == 0)
            #expect(
                ended.output.contains(
                    "ignoring runs, seen: every run changes them; add them to .gitignore\n"))
        }
    }

    @Test func `folders that git ignores are not watched, wherever they come`() async throws {
        let files = [
            "master.yaml": Self.yaml, "input": "one\n",
            ".gitignore": "node_modules\nseen\nruns\nout*\n",
        ]
        try await Program.inFolder(files) { program in
            let script =
                Self.wait + """
                    git init -q . && git add . && mkdir -p out-new/src out-new/node_modules/a/b || exit 8
                    "$0" run --watch > out 2>&1 & master=$!
                    until grep -q '^watching ' out; do sleep 0.05; done
                    watched() { cat /proc/$master/fdinfo/* 2>/dev/null | grep -c '^inotify'; }
                    [ $(watched) = 1 ] || exit 7
                    mv out-new new
                    while [ $(watched) = 1 ]; do sleep 0.05; done
                    # The old watch may still be there, with one folder.
                    [ $(watched) -le 4 ] && echo few; kill -INT $master; wait $master
                    """
            let ended = try await program.run(["-c", script, Program.path], executable: "/bin/sh") {
                _ in
            }
            #expect(ended.output == "few\n", "\(ended)")
        }
    }

    @Test func `a signal while another run is being loaded ends the program at once`()
        async throws
    {
        let yaml = """
            secrets: [secrets.Command: [sh, -c, 'echo key >> keys; [ ! -e slow ] || sleep 600; echo secret']]
            steps:
              - steps.ShellCommand: {command: 'cat input >> seen; echo run >> runs', env: {KEY: !Secret k}}
            """
        let files = [
            "master.yaml": yaml, "input": "one\n", ".gitignore": "seen\nruns\nkeys\nslow\nout*\n",
        ]
        try await Program.inFolder(files) { program in
            let script =
                Self.wait + """
                    git init -q . && git add . || exit 8
                    "$0" run --watch > out 2>&1 & master=$!
                    until grep -q '^watching ' out; do sleep 0.05; done
                    touch slow; echo two > input; lines keys 2
                    kill -INT $master; wait $master; echo status $?; wc -l < runs
                    """
            let ended = try await program.run(["-c", script, Program.path], executable: "/bin/sh") {
                _ in
            }
            #expect(ended.output == "status 130\n1\n", "\(ended)")
        }
    }

    @Test func `at a terminal a failed step is retried, skipped and looked at in a shell`()
        async throws
    {
        let yaml = """
            steps:
              - steps.ShellCommand:
                  name: flaky
                  command: 'echo run >> runs; [ $(wc -l < runs) -ge 2 ]'
                  env: {KEY: value}
              - steps.ShellCommand: {name: bad, command: 'exit 3'}
              - steps.ShellCommand: {name: after, command: 'true'}
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let script = """
                export SHELL=/bin/sh
                printf 'what\\nh\\necho shell-$KEY\\nexit\\nr\\ns\\n' |
                    script -qec "'$0' run --pause-on-failure; echo status \\$?" /dev/null
                """
            let ended = try await program.run(["-c", script, Program.path], executable: "/bin/sh") {
                _ in
            }
            let output = ended.output.replacing("\r\n", with: "\n")
            #expect(output.contains("shell-value\n"), "\(output)")
            #expect(output.contains("\nstatus 0\n"), "\(output)")
            let question = "retry (r), skip (s), open a shell (h), or abort the build (a)?\n"
            #expect(output.ranges(of: question).count == 4)
        }
    }

    @Test func `without a terminal nobody can be asked`() async throws {
        try await Program.inFolder(["master.yaml": "steps: []"]) { program in
            let ended = try await program.run("run", "--pause-on-failure")
            #expect(ended.status == 64)
            #expect(
                ended.error
                    == "error: --pause-on-failure needs a terminal to ask at; omit it\n")
            for option in ["--json", "--list", "--dry-run"] {
                let ended = try await program.run("run", "--pause-on-failure", option)
                #expect(ended.status == 64)
            }
            #expect(try await program.run("run", "--watch", "--list").status == 64)
        }
    }

    @Test func `a working tree is taken with its changes, or refused`() async throws {
        let yaml = """
            steps:
              - steps.Git: https://example.com/app.git
              - steps.ShellCommand: cat f
            """
        try await Program.inFolder(["master.yaml": yaml, "f": "committed\n"]) { program in
            let bare = try await program.run("run", "--source")
            #expect(bare.status == 64)
            #expect(bare.error.hasPrefix("error: --source .: not a git working tree; git says "))
            let script = """
                git init -q -b main . && git add . &&
                    git -c user.name=a -c user.email=a@b commit -qm one && echo changed > f &&
                    "$0" run --source -v
                """
            let ended = try await program.run(["-c", script, Program.path], executable: "/bin/sh") {
                _ in
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.error)")
            #expect(ended.output.contains(" of main with uncommitted changes"))
            #expect(ended.output.contains("changed"))
        }
    }
}
