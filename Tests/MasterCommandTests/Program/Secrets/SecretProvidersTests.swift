import FoundationEssentials
import Testing

/// Secret providers in the whole program.
@Suite(.timeLimit(.minutes(2)))
struct SecretProvidersTests {
    @Test func `all providers are asked in order before anything runs`() async throws {
        let file = """
            secrets:
              - secrets.File: vault
              - secrets.Command: {command: [sh, -c, 'exit 4', x], notFound: [4]}
              - secrets.Command: [sh, -c, 'test "$1" != broken && echo "value of $1"', x]
            steps:
              - steps.ShellCommand: [echo, !Secret open]
              - steps.ShellCommand: [echo, !Secret closed, !Secret broken, !Secret printed]
            """
        try await Program.inFolder(["master.yaml": file]) { program in
            try await shell("mkdir -m 700 vault; umask 077; echo in a file > vault/closed", program)
            try await shell("echo for all > vault/open; chmod 644 vault/open", program)
            let check = try await program.run("check", "--secrets")
            let refused = try await program.run("run")
            #expect(refused.status == 2)
            #expect(refused.output == "")
            #expect(refused.error == check.output)
            #expect(refused.error.contains("master.yaml:6:32: error: the secret 'open' could not"))
            #expect(
                refused.error.contains("mode is 644; run chmod 600 \(program.folder)/vault"))
            #expect(refused.error.contains("master.yaml:7:48: error: the secret 'broken' could"))
            #expect(refused.error.hasSuffix("2 errors in master.yaml\n"))
            #expect(!FileManager.default.fileExists(atPath: program.folder + "/.buildmaster"))
            #expect(try await program.run("check").status == 0)

            try program.write(file.replacing("!Secret broken, ", with: ""), to: "master.yaml")
            try await shell("chmod 600 vault/open", program)
            let ended = try await program.run("run", "--verbose")
            #expect(ended.status == 0)
            #expect(ended.output.contains("  | <closed> <printed>\n"))
        }
    }

    private func shell(_ line: String, _ program: Program) async throws {
        let ended = try await program.run(["-c", line], executable: "/bin/sh") { _ in }
        #expect(ended.status == 0)
    }
}
