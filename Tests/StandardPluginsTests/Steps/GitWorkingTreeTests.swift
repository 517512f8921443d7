import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

/// Steps that take a working tree instead of fetching their repository, as with `run --source`.
struct GitWorkingTreeTests {
    private func run(
        _ git: GitFolder, _ yaml: String = "repourl: https://example.com/app.git",
        remotes: [String] = ["git@example.com:app"], tree: String = "source"
    ) async throws -> GitFolder.Run {
        let step = try StandardPlugins.Git.configured(
            yaml: yaml.replacing("FOLDER", with: git.folder.path))
        let harness = try StepHarness(
            worker: LocalWorker(root: git.folder.root), workdir: git.folder.workdir,
            masterFolder: git.folder.path,
            workingTree: WorkingTree(path: "\(git.folder.path)/\(tree)", remotes: remotes))
        let before = try git.listing()
        let run = GitFolder.Run(results: try await harness.run(step), harness: harness)
        #expect(try git.listing() == before, "the working tree was changed")
        return run
    }

    /// All files of the checkout but those of git.
    private func files(_ git: GitFolder) throws -> [String] {
        let found = try FileManager.default.subpathsOfDirectory(atPath: git.folder.workdir)
        return found.filter { $0 != ".git" && !$0.hasPrefix(".git/") }.sorted()
    }

    @Test func `two settings for the keys of the server are an error`() {
        let error = #expect(throws: ConfigurationError.self) {
            try StandardPlugins.Git.configured(
                yaml: "{repourl: x, sshHostKey: ssh-ed25519 A, sshKnownHosts: h ssh-ed25519 A}")
        }
        #expect(
            error?.diagnostics.map(\.message) == [
                "'sshHostKey' and 'sshKnownHosts' are both given; keep one"
            ])
    }

    @Test func `changed, new, staged, deleted and ignored files are as in the working tree`()
        async throws
    {
        try await GitFolder.with { git in
            try git.folder.write("*.o\n", to: "source/.gitignore")
            try git.folder.write("gone", to: "source/gone")
            try git.folder.write("old", to: "source/staged")
            try git.folder.link("source/link", to: "/etc/passwd")
            let head = try await git.commit("one", to: "dir/f")
            try git.folder.write("two", to: "source/dir/f")
            try git.folder.write("new \"file\"", to: "source/a new\n\u{E9} file")
            try git.folder.write("ignored", to: "source/x.o")
            try git.folder.write("staged", to: "source/staged")
            try await git.source(["add", "staged"])
            try FileManager.default.removeItem(atPath: "\(git.folder.path)/source/gone")

            let first = try await run(git)
            #expect(first.results == .success, "\(first.log)")
            #expect(first.harness.summary == "\(head.prefix(7)) with uncommitted changes")
            #expect(first.revision == .string(head))
            #expect(first.harness.properties["uncommitted_changes"] == true)
            let expected = [".gitignore", "a new\n\u{E9} file", "dir", "dir/f", "link", "staged"]
            #expect(try files(git) == expected)
            #expect(try git.read("dir/f") == "two")
            #expect(try git.read("staged") == "staged")
            #expect(
                try FileManager.default.destinationOfSymbolicLink(
                    atPath: "\(git.folder.workdir)/link") == "/etc/passwd")
            #expect(try await git.checkout(["rev-parse", "HEAD"]) == head)
            #expect(try await git.checkout(["fsck"]).contains("missing") == false)

            // What was new is gone; what the build made and what is ignored stays.
            try FileManager.default.removeItem(
                atPath: "\(git.folder.path)/source/a new\n\u{E9} file")
            try await git.source(["checkout", "-q", "-f", "HEAD"])
            try git.folder.write("built", to: "work/build/y.o")
            try git.folder.write("changed by the build", to: "work/build/dir/f")
            let second = try await run(git)
            #expect(second.harness.summary == "\(head.prefix(7))")
            #expect(second.harness.properties["uncommitted_changes"] == false)
            #expect(
                try files(git) == [".gitignore", "dir", "dir/f", "gone", "link", "staged", "y.o"])
            #expect(try git.read("dir/f") == "one")
        }
    }

    @Test func `a file that did not change between two runs is not written again`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            try git.folder.write("two", to: "source/f")
            try git.folder.write("new", to: "source/g")
            _ = try await run(git)
            let before = (
                try git.folder.modified("work/build/f"), try git.folder.modified("work/build/g")
            )
            try git.folder.write("newer", to: "source/h")
            let next = try await run(git)
            #expect(next.results == .success, "\(next.log)")
            #expect(try git.read("h") == "newer")
            #expect(try git.folder.modified("work/build/f") == before.0)
            #expect(try git.folder.modified("work/build/g") == before.1)
        }
    }

    @Test func `what a working tree left is gone when the repository is fetched again`()
        async throws
    {
        try await GitFolder.with { git in
            let head = try await git.commit("one", to: "f")
            try git.folder.write("two", to: "source/f")
            try git.folder.write("new", to: "source/g")
            _ = try await run(git, "FOLDER/source")
            #expect(try files(git) == ["f", "g"])
            let fetched = try await git.run("FOLDER/source")
            #expect(fetched.revision == .string(head))
            #expect(try files(git) == ["f"])
            #expect(try git.read("f") == "one")
        }
    }

    @Test(arguments: ["fresh", "clean", "clobber", "copy"])
    func `every mode takes the working tree`(_ method: String) async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            try git.folder.write("new", to: "source/g")
            try git.folder.write("stale", to: "work/build/old")
            let step = "{repourl: FOLDER/source, mode: full, method: \(method)}"
            let run = try await run(git, step)
            #expect(run.results == .success, "\(run.log)")
            #expect(try files(git) == ["f", "g"])
        }
    }

    @Test func `a working tree before its first commit is taken, too`() async throws {
        try await GitFolder.with { git in
            try git.folder.write("new", to: "source/g")
            let run = try await run(git)
            #expect(run.results == .success, "\(run.log)")
            #expect(run.harness.summary == "no commit with uncommitted changes")
            #expect(run.revision == nil)
            #expect(try files(git) == ["g"])
        }
    }

    @Test func `only the repository of the working tree is taken from it`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            try await git.makeRepository("lib")
            let lib = try await git.commit("lib", to: "l", in: "lib")
            let fetched = try await run(git, "{repourl: FOLDER/lib, codebase: lib}")
            #expect(fetched.revision == ["lib": .string(lib)], "\(fetched.log)")
            let path = git.folder.path
            #expect(fetched.harness.summary == "\(lib.prefix(7)), without \(path)/source")
            #expect(
                fetched.log.contains(
                    "\(path)/source is a working tree of git@example.com:app, not of this "
                        + "repository, which is fetched"))
            // Without a remote only the step without a codebase can be meant.
            let local = try await run(git, "FOLDER/lib", remotes: [])
            #expect(try files(git) == ["f"], "\(local.log)")
        }
    }

    @Test func `submodules are taken as they are there, if the step wants them`() async throws {
        try await GitFolder.with { git in
            try await git.makeRepository("lib")
            _ = try await git.commit("lib", to: "l", in: "lib")
            _ = try await git.commit("one", to: "f")
            try await git.source([
                "-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                "\(git.folder.path)/lib", "deps/lib",
            ])
            try await git.source(["commit", "-q", "-m", "submodule"])
            try git.folder.write("changed", to: "source/deps/lib/l")
            try git.folder.write("more", to: "source/deps/lib/m")
            let without = try await run(git)
            #expect(without.results == .success, "\(without.log)")
            #expect(try files(git) == [".gitmodules", "deps", "deps/lib", "f"])
            for _ in 1...2 {
                let with = try await run(git, "{repourl: FOLDER/source, submodules: true}")
                #expect(with.results == .success, "\(with.log)")
                #expect(try git.read("deps/lib/l") == "changed")
                #expect(try git.read("deps/lib/m") == "more")
            }
        }
    }

    @Test func `a repository without a commit is left out, and the log says so`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            for name in ["empty", "new/in a 'folder'"] {
                try git.folder.write("x", to: "source/\(name)/x")
                try await git.git(["init", "-q"], in: "source/\(name)")
            }
            try git.folder.write("y", to: "source/new/y")
            let run = try await run(git)
            #expect(run.results == .success, "\(run.log)")
            #expect(try files(git) == ["f", "new", "new/y"])
            let lines = run.harness.log("stdio")?.lines ?? []
            #expect(lines.contains("eleaving out empty/, a repository without a commit"))
            #expect(
                lines.contains("eleaving out new/in a 'folder'/, a repository without a commit"))
        }
    }

    @Test func `files that git can't list are a failure`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            let program = try git.fakeGit(
                "case \"$*\" in 'ls-files --stage'*) echo no luck >&2; exit 5 ;; "
                    + "esac; exec /usr/bin/git \"$@\"")
            let run = try await run(
                git, "{repourl: 'https://example.com/app.git', env: {PATH: '\(program)'}}")
            #expect(run.results == .failure, "\(run.log)")
            #expect(
                run.harness.summary?.contains("no luck") == true, "\(run.harness.summary ?? "")")
        }
    }

    @Test func `a linked working tree, and one in a folder with special characters`() async throws {
        try await GitFolder.with { git in
            let head = try await git.commit("one", to: "f")
            let name = "a:b \"c\" \\ d"
            try await git.source(["worktree", "add", "-q", "--detach", "../\(name)"])
            try git.folder.write("new", to: "\(name)/g")
            try await git.git(["add", "g"], in: name)
            let run = try await run(git, tree: name)
            #expect(run.results == .success, "\(run.log)")
            #expect(run.revision == .string(head))
            #expect(try files(git) == ["f", "g"])
        }
    }

    @Test func `what git can't read is a failure with its words`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            try Data("broken".utf8).write(
                to: URL(filePath: "\(git.folder.path)/source/.git/index"))
            let run = try await run(git)
            #expect(run.results == .failure)
            let path = git.folder.path
            #expect(
                run.harness.summary?.hasPrefix("the files of \(path)/source: exit 128: ") == true,
                "\(run.harness.summary ?? "")")
        }
    }
}
