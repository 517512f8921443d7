import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Synchronization
import Testing

/// Polls real repositories.
@Suite(.timeLimit(.minutes(3)))
struct GitPollerTests {
    private func harness(
        _ git: GitFolder, state: JSONValue? = nil, secrets: [String: String] = [:]
    ) throws -> ChangeSourceHarness {
        try ChangeSourceHarness(
            state: state, secrets: secrets, worker: LocalWorker(root: git.folder.path + "/poll"),
            folder: git.folder.path + "/poll")
    }

    private func url(_ git: GitFolder) -> SettingLiteral {
        .init(stringLiteral: git.folder.path + "/source")
    }

    // MARK: Commits

    @Test func `the first look notes what is there, and later ones find commits in order`()
        async throws
    {
        try await GitFolder.with { git in
            _ = try await git.commit("zero", to: "a")
            let harness = try harness(git)
            let poller = try GitPoller.configured(["repourl": url(git)])
            let hashes = Hashes()
            try await harness.run(poller, waits: 3) { wait in
                guard wait == 1 else { return }
                #expect(harness.changes == [])
                try await git.source(["mv", "a", "b"])
                hashes.add(try await git.commit("one", to: "we ird\n\"ü"))
                try await git.source(["checkout", "-q", "-b", "side"])
                _ = try await git.commit("on the side", to: "s")
                try await git.source(["checkout", "-q", "main"])
                try await git.source(["merge", "-q", "--no-ff", "-m", "merge", "side"])
                hashes.add(try await git.source(["rev-parse", "HEAD"]))
                try await git.source([
                    "-c", "i18n.commitEncoding=ISO-8859-1", "-c", "user.name=M\u{fc}ller", "commit",
                    "-q", "--allow-empty", "-m", "subject\n\nbody",
                ])
                hashes.add(try await git.source(["rev-parse", "HEAD"]))
            }
            let changes = harness.changes
            #expect(changes.map(\.revision) == hashes.all)
            #expect(changes.map(\.comments) == ["one", "merge", "subject\n\nbody"])
            #expect(changes.map(\.files) == [["a", "b", "we ird\n\"ü"], ["s"], []])
            #expect(Set(changes.map(\.branch)) == ["main"])
            #expect(changes[0].author == "Ann <ann@example.com>")
            #expect(changes[0].committer == "Ann <ann@example.com>")
            #expect(changes[2].author.hasPrefix("M"))
            #expect(Set(changes.map(\.repository)) == [git.folder.path + "/source"])
            // The time of the commit, not that of the harness.
            #expect(changes.allSatisfy { abs($0.when.timeIntervalSinceNow) < 600 })
            #expect(harness.messages.texts == [])
        }
    }

    @Test func `nothing is missed or repeated after a restart`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("zero", to: "a")
            let harness = try harness(git)
            let poller = try GitPoller.configured(["repourl": url(git), "usetimestamps": false])
            try await harness.run(poller, waits: 1)
            _ = try await git.commit("one", to: "a")
            // With a saved state it waits first.
            try await harness.run(poller, waits: 1)
            #expect(harness.changes == [])
            try await harness.run(poller, waits: 3)
            #expect(harness.changes.map(\.comments) == ["one"])
            #expect(harness.changes[0].when <= harness.now)
            #expect(harness.now.timeIntervalSince(harness.start) == 5 * 600)
            _ = try await git.commit("two", to: "a")
            let eager = try GitPoller.configured(["repourl": url(git), "pollAtLaunch": true])
            try await harness.run(eager, waits: 1)
            #expect(harness.changes.map(\.comments) == ["one", "two"])
            // A killed git leaves locks.
            try git.folder.write("", to: "poll/.git/index.lock")
            try git.folder.write("", to: "poll/.git/refs/polled/heads/main.lock")
            _ = try await git.commit("three", to: "a")
            try await harness.run(eager, waits: 3)
            #expect(harness.changes.map(\.comments) == ["one", "two", "three"])
        }
    }

    @Test func `branches are followed by globs, and new, deleted and reset ones are handled`()
        async throws
    {
        try await GitFolder.with { git in
            let first = try await git.commit("zero", to: "a")
            let settings: SettingLiteral = ["repourl": url(git), "branches": ["main", "rel/*"]]
            let harness = try harness(git)
            try await harness.run(try GitPoller.configured(settings), waits: 6) { wait in
                switch wait {
                case 1:
                    try await git.source(["checkout", "-q", "-b", "rel"])
                    _ = try await git.commit("unwatched", to: "u")
                    try await git.source(["branch", "-m", "rel", "other"])
                    // A branch at a known commit is no change.
                    try await git.source(["branch", "rel/old", first])
                    try await git.source(["checkout", "-q", "-b", "rel/1", "main"])
                    _ = try await git.commit("new branch", to: "r")
                case 2:
                    try await git.source(["checkout", "-q", "main"])
                    try await git.source(["branch", "-D", "rel/1"])
                    _ = try await git.commit("on main", to: "m")
                case 3:
                    // Forced to an old commit, and then to a new one.
                    try await git.source(["reset", "-q", "--hard", first])
                case 4:
                    _ = try await git.commit("after reset", to: "m")
                    try await git.source(["branch", "rel/1/deep"])
                default: break
                }
            }
            #expect(
                harness.changes.map { "\($0.branch ?? ""): \($0.comments)" } == [
                    "rel/1: new branch", "main: on main", "main: after reset",
                    "rel/1/deep: after reset",
                ])
            #expect(harness.messages.texts == [])
        }
    }

    @Test func `the first branch that fits is one change, whatever its history`() async throws {
        try await GitFolder.with { git in
            for text in ["zero", "one", "two"] { _ = try await git.commit(text, to: "a") }
            let settings: SettingLiteral = ["repourl": url(git), "branches": ["rel/*"]]
            let harness = try harness(git)
            try await harness.run(try GitPoller.configured(settings), waits: 3) { wait in
                guard wait == 1 else { return }
                try await git.source(["branch", "rel/1", "main"])
            }
            #expect(harness.changes.map(\.comments) == ["two"])
            #expect(harness.messages.texts == [])
        }
    }

    @Test func `pushes without commits are changes if they should be`() async throws {
        try await GitFolder.with { git in
            let first = try await git.commit("zero", to: "a")
            _ = try await git.commit("one", to: "a")
            let poller = try GitPoller.configured([
                "repourl": url(git), "branches": true, "buildPushesWithNoCommits": true,
            ])
            let harness = try harness(git)
            try await harness.run(poller, waits: 3) { wait in
                guard wait == 1 else { return }
                try await git.source(["branch", "copy"])
                try await git.source(["reset", "-q", "--hard", first])
            }
            #expect(
                Set(harness.changes.map { "\($0.branch ?? ""): \($0.comments)" })
                    == ["copy: one", "main: zero"])
        }
    }

    @Test func `tags are found, also the first one`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("zero", to: "a")
            let poller = try GitPoller.configured(["repourl": url(git), "only_tags": true])
            let harness = try harness(git)
            try await harness.run(poller, waits: 4) { wait in
                switch wait {
                case 1: try await git.source(["tag", "-a", "-m", "one", "v1"])
                case 2:
                    _ = try await git.commit("one", to: "a")
                    try await git.source(["tag", "v2"])
                default: break
                }
            }
            #expect(
                harness.changes.map { "\($0.branch ?? ""): \($0.comments)" }
                    == ["refs/tags/v1: zero", "refs/tags/v2: one"])
        }
    }

    @Test func `very many branches are fetched at once, and only those that are wanted count`()
        async throws
    {
        try await GitFolder.with { git in
            let first = try await git.commit("zero", to: "a")
            @Sendable func create(_ names: [String]) async throws {
                let lines = names.map { "create refs/heads/\($0) \(first)\n" }.joined()
                try git.folder.write(lines, to: "refs")
                let alias = "alias.refs=!git update-ref --stdin < ../refs"
                try await git.source(["-c", alias, "refs"])
            }
            try await create((1...600).map { "old/\($0)" })
            let harness = try harness(git)
            let settings: SettingLiteral = [
                "repourl": url(git), "branches": ["main", "old/*", "new/*"],
            ]
            try await harness.run(try GitPoller.configured(settings), waits: 4) { wait in
                guard wait == 1 else { return }
                try await create((1...600).flatMap { ["new/\($0)", "unwanted-\($0)"] })
                try await git.source(["checkout", "-q", "-b", "unwanted"])
                _ = try await git.commit("unwanted", to: "u")
                try await git.source(["checkout", "-q", "new/7"])
                _ = try await git.commit("wanted", to: "a")
            }
            #expect(harness.changes.map(\.comments) == ["wanted"])
            #expect(harness.changes.map(\.branch) == ["new/7"])
            #expect(harness.messages.texts == [])
        }
    }

    @Test func `without its copy, which a backup may lack, a poller takes nothing old for new`()
        async throws
    {
        try await GitFolder.with { git in
            _ = try await git.commit("old", to: "a")
            let fork = try await git.commit("older", to: "a")
            _ = try await git.commit("newer", to: "a")
            let harness = try harness(git)
            let settings: SettingLiteral = ["repourl": url(git), "branches": true]
            try await harness.run(try GitPoller.configured(settings), waits: 3) { wait in
                guard wait == 1 else { return }
                try FileManager.default.removeItem(atPath: git.folder.path + "/poll/.git")
                try await git.source(["checkout", "-q", "-b", "side", fork])
                _ = try await git.commit("new", to: "b")
            }
            #expect(harness.changes.map(\.comments) == ["new"])
        }
    }

    @Test func `an empty repository is polled, and a large push is bounded`() async throws {
        try await GitFolder.with { git in
            let harness = try harness(git)
            let script = """
                i=0; while [ $i -lt 1005 ]; do i=$((i+1)); printf 'commit refs/heads/main\\n'
                printf 'committer A <a@b> %d +0000\\ndata 5\\nm%04d\\n' $i $i
                if [ $i = 1 ]; then printf 'from refs/heads/main^0\\n'; fi
                done | git -C source fast-import --quiet
                """
            try await harness.run(try GitPoller.configured(["repourl": url(git)]), waits: 4) {
                wait in
                switch wait {
                case 1: _ = try await git.commit("first ever", to: "a")
                case 2:
                    let shell = Command.Shell(.script(script), in: git.folder.path)
                    let result = try await LocalWorker(root: git.folder.root).run(.shell(shell)) {
                        _ in
                    }
                    #expect(result.isSuccess)
                default: break
                }
            }
            #expect(harness.changes.count == 1001)
            #expect(harness.changes.first?.comments == "first ever")
            #expect(harness.changes[1].comments == "m0006")
            #expect(harness.changes.last?.comments == "m1005")
            #expect(harness.messages.texts.count == 1)
            #expect(harness.messages.texts[0].contains("more than 1000 new commits"))
        }
    }

    // MARK: Trouble

    @Test func `a repository that is away is a problem until it is back`()
        async throws
    {
        try await GitFolder.with { git in
            _ = try await git.commit("zero", to: "a")
            let harness = try harness(git)
            let (here, away) = (git.folder.path + "/source", git.folder.path + "/away")
            try await harness.run(try GitPoller.configured(["repourl": url(git)]), waits: 8) {
                wait in
                switch wait {
                case 1: try FileManager.default.moveItem(atPath: here, toPath: away)
                case 5:
                    let problem = try #require(harness.problem)
                    #expect(
                        problem.hasPrefix(
                            "can't be polled, and is tried again at each interval: git"))
                    #expect(problem.contains("does not appear to be a git repository"))
                    try FileManager.default.moveItem(atPath: away, toPath: here)
                    _ = try await git.commit("back", to: "a")
                default: break
                }
            }
            #expect(harness.changes.map(\.comments) == ["back"])
            #expect(harness.problem == nil)
        }
    }

    @Test func `a branch that the repository does not have is a problem until it has it`()
        async throws
    {
        try await GitFolder.with { git in
            _ = try await git.commit("zero", to: "a")
            let named = try harness(git)
            let poller = try GitPoller.configured(["repourl": url(git), "branch": "mian"])
            try await named.run(poller, waits: 2) { wait in
                guard wait == 1 else { return }
                #expect(named.problem == "the repository has no branch 'mian'")
                try await git.source(["branch", "mian"])
            }
            #expect(named.problem == nil)
            try await git.source(["symbolic-ref", "HEAD", "refs/heads/gone"])
            let standard = try harness(git)
            try await standard.run(try GitPoller.configured(["repourl": url(git)]), waits: 1)
            let problem = try #require(standard.problem)
            #expect(problem.hasPrefix("the repository has no default branch: it is empty, or"))
            let tags = try harness(git)
            let tagPoller = try GitPoller.configured(["repourl": url(git), "only_tags": true])
            try await tags.run(tagPoller, waits: 1)
            #expect(tags.problem == nil)
        }
    }

    @Test func `what ssh says is the reason, though it ends its lines as on Windows`()
        async throws
    {
        try await GitFolder.with { git in
            let harness = try harness(git)
            let poller = try GitPoller.configured(["repourl": "ssh://git@127.0.0.1:1/app.git"])
            try await harness.run(poller, waits: 2)
            let text = try #require(harness.problem)
            #expect(text.contains("exit 128: ssh: connect to host 127.0.0.1 port 1: "), "\(text)")
        }
    }

    @Test func `a server that never answers is given up, and its secrets stay hidden`()
        async throws
    {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            try await GitFolder.with { git in
                let poller = try GitPoller.configured([
                    "repourl": .init(stringLiteral: "\(server.url)/app.git"), "timeout": 1,
                    "auth": ["user", .secret("token")],
                ])
                let harness = try harness(git, secrets: ["token": "t0ken-of-the-server"])
                try await harness.run(poller, waits: 2)
                let problem = try #require(harness.problem)
                #expect(problem.contains("was silent for"))
                #expect(!problem.contains("t0ken"))
                let header = server.requests.first?.header("Authorization")
                #expect(header == "Basic dXNlcjp0MGtlbi1vZi10aGUtc2VydmVy")
            }
        }
    }

    // MARK: Settings

    @Test func `contradicting settings are errors`() throws {
        for yaml in [
            "{}", "{repourl: a, branch: b, branches: [c]}",
            "{repourl: a, only_tags: true, branch: b}",
            "{repourl: a, pollInterval: 0}", "{repourl: a, pollRandomDelayMax: 700}",
            "{repourl: a, pollRandomDelayMin: 5}", "{repourl: 'ext::sh -c x'}",
            "{repourl: a, branches: []}", "{repourl: a, branches: ['a b']}",
            "{repourl: a, workdir: x}", "{repourl: a, sshHostKey: a, sshKnownHosts: b}",
        ] {
            #expect(throws: ConfigurationError.self, "\(yaml)") {
                try GitPoller.configured(yaml: yaml)
            }
        }
        let poller = try GitPoller.configured(yaml: "{repourl: 'https://u:p@h/a.git'}")
        #expect(poller.standardName == "https://h/a.git")
    }
}

/// Hashes that a closure collects.
private final class Hashes: Sendable {
    private let kept = Mutex<[String?]>([])

    func add(_ hash: String) { kept.withLock { $0.append(hash) } }
    var all: [String?] { kept.withLock(\.self) }
}
