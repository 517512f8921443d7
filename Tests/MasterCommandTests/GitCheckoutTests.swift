import FoundationEssentials
import Subprocess
import SystemPackage
import Testing

@testable import MasterCommand

struct GitCheckoutTests {
    /// A new folder for git commands that is not inside another checkout.
    private struct Folder {
        let program: Program

        var path: String { program.folder }

        @discardableResult
        func git(_ arguments: String...) async throws -> String {
            let settings = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
            let ended = try await Subprocess.run(
                .name("git"), arguments: Arguments(settings + arguments),
                environment: .inherit.updating(["GIT_CONFIG_NOSYSTEM": "1"]),
                workingDirectory: FilePath(path), output: .string(limit: 1 << 16),
                error: .string(limit: 1 << 16))
            try #require(ended.terminationStatus.isSuccess, "\(ended.standardError)")
            return ended.standardOutput.trimmingPrefix(/\s*/).split(separator: "\n").first
                .map(String.init) ?? ""
        }

        func find(in name: String = "") async throws -> GitCheckout? {
            try await GitCheckout.find(around: path + name, environment: environment)
        }

        /// The warning about git, with changed environment variables.
        func warning(_ variables: [String: String]) async throws -> String? {
            do {
                _ = try await GitCheckout.find(
                    around: path, environment: environment.merging(variables) { $1 })
                return nil
            } catch {
                return "\(error)"
            }
        }

        private var environment: [String: String] { ProcessInfo.processInfo.environment }
    }

    private func inFolder<Value>(_ body: (Folder) async throws -> Value) async throws -> Value {
        try await Program.inFolder { try await body(Folder(program: $0)) }
    }

    @Test func `branch, revision and repository come from the checkout`() async throws {
        try await inFolder { folder in
            try await folder.git("init", "--quiet", "--initial-branch=topic/one")
            try await folder.git("commit", "--quiet", "--allow-empty", "--message=one")
            try await folder.git("remote", "add", "other", "https://example.com/other.git")
            try await folder.git(
                "remote", "add", "origin", "https://me:secret@example.com/mine.git")
            let revision = try await folder.git("rev-parse", "HEAD")
            try FileManager.default.createDirectory(
                atPath: folder.path + "/deep/down", withIntermediateDirectories: true)
            let wanted = GitCheckout(
                branch: "topic/one", revision: revision,
                repository: "https://example.com/mine.git")
            #expect(try await folder.find(in: "/deep/down") == wanted)
            try await folder.git("pack-refs", "--all")
            #expect(try await folder.find() == wanted)
        }
    }

    @Test func `a revision checked out by itself has no branch`() async throws {
        try await inFolder { folder in
            try await folder.git("init", "--quiet")
            try await folder.git("commit", "--quiet", "--allow-empty", "--message=one")
            try await folder.git("checkout", "--quiet", "--detach")
            let revision = try await folder.git("rev-parse", "HEAD")
            #expect(try await folder.find() == GitCheckout(revision: revision))
        }
    }

    @Test func `before the first commit there is only a branch`() async throws {
        try await inFolder { folder in
            try await folder.git("init", "--quiet", "--initial-branch=main")
            #expect(try await folder.find() == GitCheckout(branch: "main"))
        }
    }

    @Test func `work trees, submodules and bare repositories are checkouts, too`() async throws {
        try await inFolder { folder in
            try await folder.git("init", "--quiet", "--initial-branch=main", "one")
            try await folder.git(
                "-C", "one", "commit", "--quiet", "--allow-empty", "--message=one")
            let revision = try await folder.git("-C", "one", "rev-parse", "HEAD")
            try await folder.git("-C", "one", "worktree", "add", "--quiet", "-b", "side", "../tree")
            #expect(
                try await folder.find(in: "/tree")
                    == GitCheckout(branch: "side", revision: revision))
            try await folder.git("clone", "--quiet", "--bare", "one", "bare")
            let one = folder.path + "/one"
            let bare = try #require(try await folder.find(in: "/bare"))
            #expect(bare.branch == "main" && bare.revision == revision)
            #expect(bare.repository.map { URL(filePath: $0).path }?.hasSuffix("/one") == true)
            try await folder.git("init", "--quiet", "outer")
            try await folder.git(
                "-c", "protocol.file.allow=always", "-C", "outer", "submodule", "--quiet", "add",
                one,
                "inner")
            let inner = try #require(try await folder.find(in: "/outer/inner"))
            #expect(inner == GitCheckout(branch: "main", revision: revision, repository: one))
        }
    }

    @Test func `a folder outside of any checkout has none, and starts no git`() async throws {
        try await inFolder { folder in
            let found = try await folder.find()
            let warning = try await folder.warning(["PATH": "/nowhere"])
            #expect(found == nil && warning == nil)
        }
    }

    @Test func `the variables of a hook do not lead to another repository`() async throws {
        try await inFolder { folder in
            try await folder.git("init", "--quiet", "--initial-branch=main")
            let found = try await GitCheckout.find(
                around: folder.path,
                environment: ProcessInfo.processInfo.environment.merging(
                    ["GIT_DIR": "elsewhere", "GIT_WORK_TREE": "/"]) { $1 })
            #expect(found?.branch == "main")
        }
    }

    @Test func `what git cannot read is told with its reason and remedy`() async throws {
        try await inFolder { folder in
            try await folder.git("init", "--quiet")
            let start = "the branch and revision of this checkout are unknown: "
            #expect(
                try await folder.warning(["PATH": "/nowhere"])
                    == start + "git is not in PATH; install it, or pass --branch and --revision")
            let path = URL(filePath: folder.path).resolvingSymlinksInPath().path
            #expect(
                try await folder.warning(["GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"])
                    == start + "git says 'detected dubious ownership in repository at '\(path)''; "
                    + "if you trust it, run 'git config --global --add safe.directory \(path)', "
                    + "or pass --branch and --revision")
            try folder.program.write("[core", to: ".git/config")
            let warning = try #require(try await folder.warning([:]))
            #expect(warning.hasPrefix(start + "git says 'bad config line "))
            #expect(
                warning.hasSuffix(
                    "; check 'git status', or pass --branch and --revision"))
        }
    }

    @Test func `run warns of a checkout that git cannot read, unless it is told the source`()
        async throws
    {
        try await inFolder { folder in
            try await folder.git("init", "--quiet")
            try folder.program.write("steps: []\n", to: "master.yaml")
            var program = folder.program
            program.environment = ["GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"]
            let warned = try await program.run("run")
            #expect(warned.status == 0)
            #expect(warned.error.contains("warning: the branch and revision of this checkout are"))
            let told = try await program.run("run", "--branch", "main", "--revision", "1")
            #expect(told.status == 0)
            #expect(!told.error.contains("warning"))
        }
    }
}
