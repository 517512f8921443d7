import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

/// What `steps.Git` must never touch, and what it must never show.
@Suite(.timeLimit(.minutes(1)))
struct GitSafetyTests {
    /// A working tree around the folder of builds, with changes that exist nowhere else.
    private static func withPreciousTree(
        _ body: (GitFolder) async throws -> Void
    ) async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            let root = git.folder.path
            for arguments in [
                ["init", "-q", "-b", "main", root], ["-C", root, "add", "work/tracked"],
                ["-C", root, "commit", "-q", "-m", "precious"],
            ] {
                try git.folder.write("committed", to: "work/tracked")
                _ = try await git.git(arguments)
            }
            try git.folder.write("changed", to: "work/tracked")
            try git.folder.write("staged", to: "staged")
            _ = try await git.git(["-C", root, "add", "staged"])
            try git.folder.write("untracked", to: "untracked")
            try git.folder.write("x", to: "precious/inner/f")
            let before = try git.listing()
            try await body(git)
            #expect(try git.listing() == before)
        }
    }

    private static let modes = [
        "mode: incremental", "mode: full, method: clean", "mode: full, method: fresh",
        "mode: full, method: clobber", "mode: full, method: copy",
    ]

    @Test(arguments: modes)
    func `a working tree around the folder of builds stays as it is`(
        _ settings: String
    ) async throws {
        try await Self.withPreciousTree { git in
            for _ in 1...2 {
                let run = try await git.run("{repourl: source, \(settings)}")
                #expect(run.results == .success, "\(run.log)")
            }
        }
    }

    @Test(arguments: modes)
    func `a broken repository in the folder of builds does not lead to the one around it`(
        _ settings: String
    ) async throws {
        try await Self.withPreciousTree { git in
            let root = git.folder.path
            let breaks: [(StepFolder) throws -> Void] = [
                { try $0.write("", to: "work/build/.git/x") },
                { try $0.write("gitdir: \(root)/.git\n", to: "work/build/.git") },
                { folder in
                    try FileManager.default.createDirectory(
                        atPath: folder.workdir, withIntermediateDirectories: true)
                    try folder.link("work/build/.git", to: "\(root)/.git")
                },
                { try $0.write("garbage", to: "work/build/.git") },
            ]
            for spoil in breaks {
                try git.removeCheckout()
                try spoil(git.folder)
                let run = try await git.run("{repourl: source, \(settings)}")
                #expect(run.results == .success, "\(run.log)")
                #expect(try git.read("f") == "one")
            }
        }
    }

    @Test(arguments: modes)
    func `variables of a git hook do not lead to its repository`(_ settings: String) async throws {
        try await Self.withPreciousTree { git in
            let root = git.folder.path
            let run = try await git.run(
                """
                {repourl: source, \(settings), env: {GIT_DIR: '\(root)/.git',
                 GIT_WORK_TREE: '\(root)', GIT_INDEX_FILE: '\(root)/.git/index', GIT_PREFIX: x/,
                 GIT_COMMON_DIR: '\(root)/.git', GIT_OBJECT_DIRECTORY: '\(root)/.git/objects'}}
                """)
            #expect(run.results == .success, "\(run.log)")
        }
    }

    @Test(arguments: modes, ["", "precious", "precious/inner", "work", "link", "work/link/x"])
    func `a folder outside that of builds is refused, also through links`(
        _ settings: String, _ name: String
    ) async throws {
        try await Self.withPreciousTree { git in
            let root = git.folder.path
            try git.folder.link("link", to: "\(root)/precious")
            try git.folder.link("work/link", to: "\(root)/precious")
            defer {
                for link in ["link", "work/link"] {
                    #expect(throws: Never.self) {
                        try FileManager.default.removeItem(atPath: "\(root)/\(link)")
                    }
                }
            }
            let workdir = name.isEmpty ? root : "\(root)/\(name)"
            let run = try await git.run("{repourl: source, \(settings)}", in: workdir)
            #expect(run.results == .failure)
            #expect(run.harness.summary?.hasSuffix("not used") == true, "\(run.log)")
        }
    }

    @Test(arguments: modes)
    func `outside true does not reach the folder that holds the builds`(
        _ settings: String
    ) async throws {
        try await Self.withPreciousTree { git in
            let run = try await git.run(
                "{repourl: source, outside: true, \(settings)}", in: git.folder.path)
            #expect(run.results == .failure)
        }
    }

    @Test(arguments: modes)
    func `outside true uses another folder, but keeps what is there`(
        _ settings: String
    ) async throws {
        try await GitFolder.with { git in
            let revision = try await git.commit("one", to: "f")
            try await git.makeRepository("mine")
            _ = try await git.commit("mine", to: "g", in: "mine")
            try git.folder.write("mine", to: "files/f")
            let yaml = "{repourl: source, outside: true, \(settings)}"
            for name in ["mine", "files"] {
                let before = try git.listing()
                let refused = try await git.run(yaml, in: "\(git.folder.path)/\(name)")
                #expect(refused.results == .failure)
                #expect(refused.log.contains("choose another 'workdir'"))
                #expect(try git.listing() == before)
            }
            for _ in 1...2 {
                let run = try await git.run(yaml, in: "\(git.folder.path)/elsewhere")
                #expect(run.revision == .string(revision), "\(run.log)")
                #expect(try git.folder.read("elsewhere/f") == "one")
            }
        }
    }

    @Test func `credentials do not follow a redirect`() async throws {
        try await GitFolder.with { git in
            try await withLoopbackServer(handler: { _ in .text("no\n") }) { other in
                let target = "\(other.url)/r.git/info/refs?service=git-upload-pack"
                try await withLoopbackServer(handler: { _ in .redirect(to: target) }) { server in
                    let run = try await git.run(
                        """
                        {repourl: "\(server.url)/r.git", auth: [ann, !Secret token],
                         env: {no_proxy: '*'}}
                        """, secrets: ["token": "hunter2hunter2"])
                    #expect(run.results == .failure)
                    #expect(server.requests.first?.header("Authorization") != nil)
                    #expect(other.requests.isEmpty)
                    #expect(run.log.contains("redirects are not followed with 'auth'"))
                }
            }
        }
    }

    @Test(arguments: [
        ("", "the server asks for credentials"),
        (", auth: [ann, wrong]", "the server does not accept the credentials"),
    ])
    func `nobody is asked for credentials`(_ settings: String, _ reason: String) async throws {
        try await GitFolder.with { git in
            let answer = ServerAnswer.text(
                "no\n", status: 401, headers: [("WWW-Authenticate", "Basic realm=x")])
            try await withLoopbackServer(handler: { _ in answer }) { server in
                let run = try await git.run(
                    """
                    {repourl: "\(server.url)/r.git"\(settings),
                     env: {no_proxy: '*', GIT_CONFIG_GLOBAL: /dev/null}}
                    """)
                #expect(run.harness.summary == "git fetch: exit 128: \(reason)", "\(run.log)")
                #expect(run.log.contains("'auth'"))
            }
        }
    }

    @Test func `a folder of builds behind a link works`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            try git.folder.write("", to: "work/real/x")
            try git.removeCheckout()
            try git.folder.link("work/build", to: "real")
            for settings in Self.modes {
                let run = try await git.run("{repourl: source, \(settings)}")
                #expect(run.results == .success, "\(run.log)")
                #expect(try git.read("f") == "one")
            }
        }
    }

    @Test(arguments: [
        "auth: [ann, !Secret token]", "auth: {bearer: !Secret token}",
        "repourl: !Interpolate 'http://ann:%(secret:token)s@127.0.0.1:PORT/r.git'",
    ])
    func `credentials reach the server, and neither arguments nor logs nor the checkout`(
        _ settings: String
    ) async throws {
        try await GitFolder.with { git in
            let path = try git.fakeGit(
                "printf '%s\\n' \"$@\" >> \(git.folder.path)/arguments; exec /usr/bin/git \"$@\"")
            try await withLoopbackServer(handler: { _ in .text("no\n", status: 404) }) { server in
                let port = server.url.split(separator: ":").last.map(String.init) ?? ""
                let address = settings.hasPrefix("repourl") ? "" : "repourl: \(server.url)/r.git, "
                let yaml =
                    "{\(address)\(settings), logEnviron: true, env: {PATH: '\(path)', "
                    + "no_proxy: '*'}}"
                let run = try await git.run(
                    yaml.replacing("PORT", with: port.trimmingCharacters(in: ["/"])),
                    secrets: ["token": "hunter2hunter2"])
                #expect(run.results == .failure)
                let sent = try #require(server.requests.first?.header("Authorization"))
                let basic = Data("ann:hunter2hunter2".utf8).base64EncodedString()
                #expect(sent == "Basic \(basic)" || sent == "Bearer hunter2hunter2")
                let stored = try git.folder.read("work/build/.git/config")
                let arguments = try git.folder.read("arguments")
                #expect(stored.contains("127.0.0.1"))
                #expect(arguments.contains("remote.origin.url"))
                #expect(run.log.contains("GIT_CONFIG_VALUE_"))
                for text in [stored, arguments, run.log] + run.harness.summaries {
                    #expect(!text.contains("hunter2hunter2"))
                    #expect(!text.contains(basic))
                }
            }
        }
    }

    @Test func `a secret in the path of the URL is refused`() async throws {
        try await GitFolder.with { git in
            let run = try await git.run(
                "repourl: !Interpolate 'https://h/%(secret:token)s/r.git'",
                secrets: ["token": "hunter2hunter2"])
            #expect(run.results == .failure)
            #expect(run.harness.summary == "'repourl' has the secret 'token' in it")
            #expect(!git.folder.has("work/build/.git"))
        }
    }

    /// A new key for SSH: the private one, and what an agent says that has it.
    private static func key(in git: GitFolder, words: String = "''") async throws
        -> (text: String, listed: String)
    {
        let make = Command.Shell(
            .script("ssh-keygen -q -t ed25519 -N \(words) -C '' -f id"), in: git.folder.path)
        let made = try await LocalWorker(root: git.folder.root).run(.shell(make)) { _ in }
        try #require(made.isSuccess)
        return (try git.folder.read("id"), try git.folder.read("id.pub"))
    }

    @Test
    func `a key for SSH is in no file, argument or log, but with an agent as long as ssh runs`()
        async throws
    {
        try await GitFolder.with { git in
            let root = git.folder.path
            let key = try await Self.key(in: git)
            // The stand-in for ssh notes what it is given.
            try git.folder.write(
                """
                #!/bin/sh
                printf '%s\\n' "$@" > \(root)/arguments
                env > \(root)/environment
                cat \(root)/work/a%20b/.git/buildmaster-known-hosts > \(root)/hosts
                ssh-add -L >> \(root)/keys
                echo 'Permission denied (publickey).' >&2
                exit 255
                """, to: "bin/ssh")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: "\(root)/bin/ssh")
            let run = try await git.run(
                """
                repourl: ssh://git@example.com:2222/r.git
                sshPrivateKey: !Secret key
                sshHostKey: ssh-ed25519 AAAA
                logEnviron: true
                env: {PATH: '\(root)/bin:/usr/bin:/bin'}
                """, secrets: ["key": key.text], in: "\(root)/work/a%20b")
            #expect(run.results == .failure)
            #expect(run.harness.summary == "git fetch: exit 128: Permission denied (publickey).")
            let keys = try git.folder.read("keys").split(separator: " ").prefix(2)
            #expect(keys == key.listed.split(separator: " ").prefix(2))
            #expect(try git.folder.read("hosts") == "[example.com]:2222 ssh-ed25519 AAAA\n")
            let arguments = try git.folder.read("arguments")
            #expect(arguments.contains("\(root)/work/a%%20b/.git/buildmaster-known-hosts\"\n"))
            #expect(run.log.contains("BUILDMASTER_SSH_KEY="))
            #expect(!run.log.contains("left running"), "\(run.log)")
            let environment = try git.folder.read("environment")
            var texts = [arguments, environment, run.log] + run.harness.summaries
            let checkout = try #require(
                FileManager.default.enumerator(atPath: "\(root)/work/a%20b"))
            for case let path as String in checkout where !path.hasSuffix("/") {
                if let data = FileManager.default.contents(atPath: "\(root)/work/a%20b/\(path)") {
                    texts.append(String(decoding: data, as: UTF8.self))
                }
            }
            for line in key.text.split(separator: "\n").dropFirst().dropLast() {
                for text in texts { #expect(!text.contains(line)) }
            }
        }
    }

    @Test(arguments: [("no key", "''"), ("", "words")])
    func `a key that ssh can't use without asking is a failure`(
        _ text: String, _ words: String
    ) async throws {
        try await GitFolder.with { git in
            let key = try await Self.key(in: git, words: words).text
            let run = try await git.run(
                "{repourl: 'git@127.0.0.1:r.git', sshPrivateKey: !Secret key}",
                secrets: ["key": text.isEmpty ? key : text])
            #expect(run.results == .failure)
            #expect(
                run.harness.summary
                    == "git fetch: exit 128: ssh-add does not accept 'sshPrivateKey'", "\(run.log)")
        }
    }

    @Test func `the agent with the key ends when the build is stopped`() async throws {
        try await GitFolder.with { git in
            let root = git.folder.path
            let key = try await Self.key(in: git)
            try git.folder.write(
                "#!/bin/sh\necho $SSH_AGENT_PID >\(root)/agent\necho ready >&2\nsleep 60\n",
                to: "bin/ssh")
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: "\(root)/bin/ssh")
            let step = try StandardPlugins.Git.configured(
                yaml: """
                    repourl: git@example.com:r.git
                    sshPrivateKey: !Secret key
                    env: {PATH: '\(root)/bin:/usr/bin:/bin'}
                    """)
            let harness = try git.harness(secrets: ["key": key.text])
            let task = Task { try await harness.run(step) }
            await harness.waitForLine("eready", in: "stdio")
            let agent = try git.folder.read("agent").trimmingCharacters(in: .newlines)
            #expect(FileManager.default.fileExists(atPath: "/proc/\(agent)"))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            // Of the agent, the system may still have the exit code.
            while (try? String(contentsOfFile: "/proc/\(agent)/cmdline", encoding: .utf8)) ?? ""
                != ""
            {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }
}
