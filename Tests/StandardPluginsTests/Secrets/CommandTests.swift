import MasterKit
import MasterRuntime
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CommandTests {
    /// Gets a secret from a shell command, in which `$1` is the name.
    private func value(
        of name: String = "token", from script: String, timeout: SettingLiteral = 30,
        notFound: SettingLiteral = [], in folder: String = "/"
    ) async throws -> String? {
        let provider = try CommandSecrets.configured([
            "command": ["sh", "-c", .string(script), "sh"], "timeout": timeout,
            "notFound": notFound,
        ])
        return try await provider.value(of: name, in: .of(folder: folder))
    }

    private func fault(
        of name: String = "token", from script: String, timeout: SettingLiteral = 30,
        notFound: SettingLiteral = []
    ) async -> String? {
        let error = await #expect(throws: (any Error).self) {
            try await value(of: name, from: script, timeout: timeout, notFound: notFound)
        }
        return error.map { "\($0)".replacing("'sh -c \(script) sh'", with: "PROGRAM") }
    }

    @Test(arguments: [
        ("token", "printf '%s' \"<$1>\"", "<token>"), ("a b;c$d", "echo \"$1\"", "a b;c$d"),
        ("x", "printf 'two\\nlines\\n\\n'", "two\nlines"), ("x", "printf ''", ""),
        ("größe", "echo \"$1\"", "größe"), ("x", "echo out; echo err >&2", "out"),
        ("x", "echo $#", "1"),
    ])
    func `a secret is what the program prints for its name`(
        name: String, script: String, printed: String
    ) async throws {
        #expect(try await value(of: name, from: script) == printed)
    }

    @Test func `the program runs beside the file, with the environment, without input`()
        async throws
    {
        try await SecretFiles.with { files in
            try files.write("echo $1 in $0", to: "find.sh", mode: 0o700)
            let script = "cat; test -n \"$PATH\" && pwd && sh ./find.sh $1"
            let printed = try await value(from: script, in: files.path)
            #expect(printed == "\(files.path)\ntoken in ./find.sh")
        }
    }

    @Test func `the program has no terminal to ask for a password`() async throws {
        #expect(try await value(from: "(: </dev/tty) 2>/dev/null || echo none") == "none")
    }

    @Test func `an exit code that is not zero is a failure, with what was said`() async {
        #expect(await fault(from: "exit 3") == "PROGRAM failed: exit code 3")
        #expect(
            await fault(from: "printf 'gpg: no key\\nsorry\\n' >&2; exit 2")
                == "PROGRAM failed: exit code 2; it says: gpg: no key sorry")
        #expect(await fault(from: "kill -9 $$")?.hasPrefix("PROGRAM failed: killed by") == true)
    }

    @Test func `named exit codes say that the name is not known`() async throws {
        #expect(try await value(from: "exit 4", notFound: [1, 4]) == nil)
        #expect(await fault(from: "exit 2", notFound: [1, 4]) == "PROGRAM failed: exit code 2")
    }

    @Test func `what was printed as the secret is not in the complaint`() async {
        let script = "echo hunter2-long; echo \"bad hunter2-long\" >&2; exit 1"
        let error = await #expect(throws: (any Error).self) { try await value(from: script) }
        #expect("\(error.map { "\($0)" } ?? "")".hasSuffix("it says: bad <output>"))
    }

    @Test func `a long complaint is told by whole lines`() async {
        let script = "echo first >&2; head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1"
        #expect(await fault(from: script)?.hasSuffix("exit code 1; it says: first") == true)
    }

    @Test func `a program that hangs is ended with all that it started`() async throws {
        try await SecretFiles.with { files in
            let script = "sleep 600 & echo $! > \(files.path)/child; wait"
            let reason = await fault(from: script, timeout: "300ms")
            #expect(reason == "PROGRAM failed: timed out: ran for 0.3 seconds")
            let state = "cut -d' ' -f3 /proc/$(cat \(files.path)/child)/stat 2>/dev/null || true"
            let answer = try await value(from: state)
            #expect(["", "Z"].contains(answer))
        }
    }

    @Test(arguments: ["yes", "head -c 65537 /dev/zero | tr '\\0' a"])
    func `a program that prints too much is ended`(script: String) async {
        #expect(
            await fault(from: script)
                == "PROGRAM gives more than 64 KiB, which is too large for a secret")
    }

    @Test func `what is no text is refused without a word of it`() async {
        #expect(
            await fault(from: "printf 'a\\377b'")
                == "PROGRAM does not give valid UTF-8; encode the secret, for example in base64")
    }

    @Test func `a program that is not there is named`() async throws {
        let provider = try CommandSecrets.configured(["no-such-program", "show"])
        let error = await #expect(throws: CommandError.self) {
            try await provider.value(of: "token", in: .here)
        }
        #expect(error?.message.contains("no-such-program") == true)
    }

    @Test func `a name that the program would take for an option is refused`() async {
        #expect(
            await fault(of: "--help", from: "echo")
                == "PROGRAM would read '--help' as an option; rename the secret")
    }
}
