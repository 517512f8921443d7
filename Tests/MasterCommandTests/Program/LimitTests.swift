import FoundationEssentials
import MasterKit
import Testing

/// The program with tight system limits.
@Suite(.timeLimit(.minutes(3)))
struct LimitTests {
    private static let one = "steps: [steps.ShellCommand: ulimit -S -n]"

    private static func many(_ count: Int) -> String {
        let builders = (1...count).map { "  - {name: b\($0), steps: [steps.ShellCommand: echo]}\n" }
        return "builders:\n" + builders.joined()
    }

    private func shell(_ line: String, _ program: Program) async throws -> Program.Ended {
        try await program.run(["-c", line, Program.path], executable: "/bin/bash") { _ in }
    }

    @Test func `many builds share few open files`() async throws {
        try await Program.inFolder(["master.yaml": Self.many(200)]) { program in
            let ended = try await shell("ulimit -n 256; exec $0 run --jobs 200 --quiet", program)
            #expect(ended.status == 0)
            #expect(ended.output.hasPrefix("success: 200 builds in "))
            #expect(
                ended.error == """
                    warning: running 17 builds in parallel instead of 200, because of the limit on \
                    open files; raise it with ulimit -n

                    """)
        }
    }

    @Test func `the soft limit on open files is for commands alone`() async throws {
        try await Program.inFolder(["master.yaml": Self.one]) { program in
            let ended = try await shell("ulimit -S -n 100; exec $0 run --verbose", program)
            #expect(ended.status == 0)
            #expect(ended.output.contains("| 100\n"))
            #expect(ended.error == "")
        }
    }

    @Test(arguments: [
        ("ulimit -n 40", "only 40 files can be open at once, and at least 64 are needed"),
        ("ulimit -v 300000", "the 24 threads that are needed cannot be started"),
    ])
    func `too small a limit is said in a sentence`(limit: String, words: String) async throws {
        try await Program.inFolder(["master.yaml": Self.one]) { program in
            let ended = try await shell("\(limit); exec $0 run", program)
            #expect(ended.status == 1)
            #expect(ended.output == "")
            #expect(ended.error.hasPrefix("error: \(words)"))
            #expect(ended.error.split(separator: "\n").count == 1)
        }
    }

    @Test func `idle browsers leave files to commands and builds`() async throws {
        let yaml = "www: 127.0.0.1:0\n" + Self.many(3)
        let script = """
            (ulimit -n 64; exec $0 start 2> log) &
            until port=$(sed -n 's|.*listening on http://127.0.0.1:\\([0-9]*\\)/|\\1|p' log 2> /dev/null)
                [ -n "$port" ]; do sleep 0.05; done
            for _ in {1..80}; do exec {idle}<> "/dev/tcp/127.0.0.1/$port"; done
            $0 force b1 --wait && $0 stop && wait $!
            """
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let ended = try await shell(script, program)
            #expect(ended.status == 0)
            #expect(ended.output.contains("b1 #1 build successful"))
            let log = try String(contentsOfFile: program.folder + "/log", encoding: .utf8)
            #expect(log.contains("the web page has as many connections as it takes, 16;"))
        }
    }

    @Test func `libcurl is loaded only for a request, and a faulty one is said in a sentence`()
        async throws
    {
        let post = "steps: [steps.POST: 'http://127.0.0.1:9/']"
        let files = ["one.yaml": Self.one, "post.yaml": post, "libcurl.so.4": ""]
        try await Program.inFolder(files) { program in
            var program = program
            program.environment["LD_LIBRARY_PATH"] = program.folder
            #expect(try await program.run("run", "-c", "one.yaml").status == 0)
            #expect(try await program.run("check", "-c", "post.yaml").status == 0)
            let ended = try await program.run("run", "-c", "post.yaml")
            #expect(ended.status == 1)
            let sentence = """
                libcurl cannot be loaded: \(program.folder)/libcurl.so.4: file too short; install or \
                update libcurl 4
                """
            #expect(ended.output.contains(sentence), "\(ended)")
        }
    }

    /// The process limit does not apply to root, so the program runs as another user if necessary.
    @Test(arguments: [1, 3, 6, 12, 30])
    func `few processes are said in a sentence or are enough`(_ limit: Int) async throws {
        try await Program.inFolder(["master.yaml": Self.one]) { program in
            let line = """
                chmod 755 .; cp $0 bm; mkdir -m 777 state
                change=; [ $(id -u) = 0 ] && change="setpriv --reuid 54321 --clear-groups"
                exec $change bash -c 'ulimit -u \(limit); exec ./bm run --quiet --basedir state'
                """
            let ended = try await shell(line, program)
            #expect([0, 1].contains(ended.status), "\(ended)")
            let isSaid = ended.error.hasPrefix("error: the 24 threads that are needed cannot be")
            #expect(ended.status == 0 || isSaid || ended.output.contains("cannot be started"))
        }
    }

    @Test(arguments: [
        "status", "stop", "force x", "reconfig", "worker list", "builds", "log", "clean",
        "deliveries list",
    ])
    func `a folder of another user is not said to be unused`(_ command: String) async throws {
        try await Program.inFolder { program in
            let line = """
                chmod 755 .; cp $0 bm; mkdir -m 000 base
                change=; [ $(id -u) = 0 ] && change="setpriv --reuid 54321 --clear-groups"
                exec $change ./bm \(command) --basedir $PWD/base
                """
            let ended = try await shell(line, program)
            #expect(ended.status == 1, "\(ended)")
            #expect(
                ended.error == """
                    error: \(program.folder)/base cannot be read (Permission denied); run this \
                    command as the user that runs the master

                    """)
        }
    }

    /// Takes a small file system of its own, in a namespace.
    @Test(.enabled("needs namespaces") { try await LimitTests.hasNamespaces })
    func `a full disk is said at the start, and each start leaves nothing`() async throws {
        try await Program.inFolder(["master.yaml": Self.one]) { program in
            let line = """
                exec unshare -rm bash -c '
                mkdir base; mount -t tmpfs -o size=4m none base
                "$0" start --basedir base 2>log & master=$!
                until grep -q ready log; do sleep 0.1; done
                kill -KILL $master; wait $master
                dd if=/dev/zero of=base/fill bs=4k 2>/dev/null
                "$0" start --basedir base --log-format json
                echo "status $?"; ls base | grep "commands[.]"; true' $0
                """
            let ended = try await shell(line, program)
            #expect(ended.output == "status 1\n")
            let last = ended.error.split(separator: "\n").last { $0.hasPrefix("{") }
            let error = try JSONValue(parsing: String(last ?? ""))
            #expect(error["level"] == "error")
            let message = error["message"]?.stringValue ?? ""
            #expect(message.contains("\(program.folder)/base"), "\(message)")
            #expect(message.contains("free disk space"), "\(message)")
        }
    }

    private static var hasNamespaces: Bool {
        get async throws {
            let tried = try await Program.inFolder {
                try await $0.run(["-rm", "true"], executable: "/usr/bin/unshare") { _ in }
            }
            return tried.status == 0
        }
    }

    @Test func `a file that may not grow is said where it happens`() async throws {
        let yaml = "steps: [steps.ShellCommand: head -c 9000000 /dev/zero | tr '\\\\0' '\\\\n']"
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let ended = try await shell("ulimit -f 4096; exec $0 run", program)
            #expect(ended.status == 1)
            #expect(ended.error.contains("stdio.log cannot be written: File too large; raise"))
        }
    }

    // MARK: Streams

    @Test func `streams that are closed are nobody else's`() async throws {
        try await Program.inFolder(["master.yaml": Self.one]) { program in
            let ended = try await shell("exec $0 run <&- >&- 2>&-", program)
            #expect(ended.status == 0)
            for name in ["lock", "buildmaster.sqlite"] {
                let file = URL(filePath: program.folder + "/.buildmaster/" + name)
                let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
                #expect(!text.contains("default #1"), "\(name)")
            }
        }
    }

    @Test(arguments: [
        "run", "check", "check --format json", "plugins list", "deliveries list",
        "deliveries list --json", "--help", "--version", "receive 127.0.0.1:0",
    ])
    func `output that cannot be written is a failure that is said`(
        _ arguments: String
    ) async throws {
        try await Program.inFolder(["master.yaml": Self.one]) { program in
            let line = "exec timeout -s INT 5 $0 \(arguments) > /dev/full"
            let ended = try await shell(line, program)
            #expect(ended.status != 0)
            #expect(
                ended.error == """
                    error: standard output cannot be written (No space left on device); further \
                    output is lost

                    """)
        }
    }

    @Test func `a build goes on when its output cannot be written`() async throws {
        let yaml = "steps: [steps.ShellCommand: echo done > done]"
        try await Program.inFolder(["master.yaml": yaml]) { program in
            let ended = try await shell("exec $0 run > /dev/full", program)
            #expect(ended.status == 1)
            #expect(FileManager.default.fileExists(atPath: program.folder + "/done"))
        }
    }

    @Test func `a reader that has seen enough is no fault`() async throws {
        try await Program.inFolder(["master.yaml": Self.one]) { program in
            let line = "set -o pipefail; $0 plugins list | head -n 1; $0 check --format json | true"
            let ended = try await shell(line, program)
            #expect(ended.status == 0)
            #expect(ended.error == "")
        }
    }
}
