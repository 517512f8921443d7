import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import StandardPlugins

struct GitTests {
    @Test func `the first build clones, the next one fetches, and files that were built stay`()
        async throws
    {
        try await GitFolder.with { git in
            let first = try await git.commit("one", to: "f")
            let run = try await git.run("FOLDER/source")
            #expect(run.results == .success, "\(run.log)")
            #expect(run.harness.summary == "\(first.prefix(7))")
            #expect(run.revision == .string(first))
            #expect(try git.read("f") == "one")
            try git.folder.write("built", to: "work/build/out/o")
            try git.folder.write("changed", to: "work/build/f")
            let second = try await git.commit("two", to: "f")
            let next = try await git.run("FOLDER/source")
            #expect(next.revision == .string(second))
            #expect(try git.read("f") == "two")
            #expect(try git.read("out/o") == "built")
            #expect(!next.log.contains("git init"))
            #expect(try await git.checkout(["rev-parse", "--abbrev-ref", "HEAD"]) == "HEAD")
        }
    }

    @Test(arguments: ["FOLDER/source", "file://FOLDER/source", "source", "./source"])
    func `a repository is a path, also from the folder of master yaml, or a URL`(
        _ url: String
    ) async throws {
        try await GitFolder.with { git in
            let revision = try await git.commit("one", to: "f")
            let run = try await git.run("repourl: '\(url)'")
            #expect(run.revision == .string(revision), "\(run.log)")
        }
    }

    @Test func `the branch is that of the step, or else that of the source stamp`() async throws {
        try await GitFolder.with { git in
            let main = try await git.commit("one", to: "f")
            try await git.source(["checkout", "-q", "-b", "feature/x"])
            let feature = try await git.commit("two", to: "f")
            let stamp = SourceStamp(branch: "feature/x", revision: feature)
            let own = try await git.run("{repourl: source, branch: main}", stamps: [stamp])
            #expect(own.revision == .string(main), "\(own.log)")
            #expect(own.harness.summary == "\(main.prefix(7)) of main")
            let stamped = try await git.run("source", stamps: [SourceStamp(branch: "feature/x")])
            #expect(stamped.revision == .string(feature))
            #expect(stamped.harness.summary == "\(feature.prefix(7)) of feature/x")
            // A branch `feature` instead of those below it.
            try await git.source(["checkout", "-q", "main"])
            try await git.source(["branch", "-D", "feature/x"])
            try await git.source(["branch", "feature"])
            let renamed = try await git.run("{repourl: source, branch: feature}")
            #expect(renamed.revision == .string(main), "\(renamed.log)")
        }
    }

    @Test func `a branch that begins with a hyphen, a tag and a whole ref are fetched`()
        async throws
    {
        try await GitFolder.with { git in
            let first = try await git.commit("one", to: "f")
            try await git.source(["update-ref", "refs/heads/-x", first])
            try await git.source(["update-ref", "refs/pull/1/head", first])
            try await git.source(["tag", "v1"])
            _ = try await git.commit("two", to: "f")
            for branch in ["-x", "v1", "refs/pull/1/head"] {
                let run = try await git.run("{repourl: source, branch: \(branch)}")
                #expect(run.revision == .string(first), "\(run.log)")
            }
        }
    }

    @Test(arguments: ["a b", "a..b", "a:b", "a*", "@{-1}", "a.lock", "/a", "a/", "~", "."])
    func `what can't be a branch is never given to git`(_ branch: String) async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            #expect(throws: ConfigurationError.self) {
                try StandardPlugins.Git.configured(yaml: "{repourl: source, branch: '\(branch)'}")
            }
            let run = try await git.run("source", stamps: [SourceStamp(branch: branch)])
            #expect(run.results == .failure)
            #expect(run.harness.summary == "'\(branch)' can't be the name of a branch")
            #expect(!run.log.contains("git fetch"))
        }
    }

    @Test(arguments: ["-u/tmp/x", "ext::sh -c 'touch x'", "a::b", "", "'a\\nb'"])
    func `an address that is an option or runs a program is an error`(_ url: String) throws {
        #expect(throws: ConfigurationError.self) {
            try StandardPlugins.Git.configured(
                yaml: "repourl: \"\(url.replacing("\"", with: "'"))\"")
        }
    }

    @Test func `the revision of the source stamp is checked out, wherever it is`() async throws {
        try await GitFolder.with { git in
            let first = try await git.commit("one", to: "f")
            _ = try await git.commit("two", to: "f")
            try await git.source(["checkout", "-q", "-b", "other"])
            let other = try await git.commit("three", to: "f")
            try await git.source(["checkout", "-q", "main"])
            let newest = try await git.source(["rev-parse", "main"])
            for revision in [first, other, String(first.prefix(8)), "other"] {
                try git.removeCheckout()
                let stamp = SourceStamp(branch: "main", revision: revision)
                let run = try await git.run("source", stamps: [stamp])
                let expected = revision.hasPrefix(first.prefix(8)) ? first : other
                #expect(run.revision == .string(expected), "\(run.log)")
            }
            let latest = try await git.run(
                "{repourl: source, alwaysUseLatest: true}",
                stamps: [SourceStamp(branch: "main", revision: first)])
            #expect(latest.revision == .string(newest))
            let none = String(repeating: "1", count: 40)
            let missing = try await git.run("source", stamps: [SourceStamp(revision: none)])
            #expect(missing.results == .failure)
            #expect(missing.harness.summary == "revision \(none) is not in the repository")
            #expect(missing.log.contains("alwaysUseLatest: true"))
        }
    }

    @Test func `a shallow checkout has the commits that are wanted, and a later one all`()
        async throws
    {
        try await GitFolder.with { git in
            let first = try await git.commit("one", to: "f")
            for text in ["two", "three", "four"] { _ = try await git.commit(text, to: "f") }
            for (shallow, count) in [("true", "1"), ("2", "2"), ("false", "4")] {
                let run = try await git.run("{repourl: source, shallow: \(shallow)}")
                #expect(run.results == .success, "\(run.log)")
                #expect(try await git.checkout(["rev-list", "--count", "HEAD"]) == count)
            }
            try git.removeCheckout()
            let old = try await git.run(
                "{repourl: source, shallow: 1}", stamps: [SourceStamp(revision: first)])
            #expect(old.revision == .string(first), "\(old.log)")
            #expect(try await git.checkout(["rev-list", "--count", "--all"]) == "1")
        }
    }

    @Test func `submodules follow their commits, if they are wanted`() async throws {
        try await GitFolder.with { git in
            try await git.makeRepository("lib")
            _ = try await git.commit("lib one", to: "l", in: "lib")
            let path = git.folder.path
            try await git.source(
                ["-c", "protocol.file.allow=always", "submodule", "add", "\(path)/lib", "sub"])
            _ = try await git.commit("one", to: "f")
            let plain = try await git.run("source")
            #expect(plain.results == .success, "\(plain.log)")
            #expect(!git.folder.has("work/build/sub/l"))
            // As git does by default, submodules are not taken from folders.
            let refused = try await git.run("{repourl: source, submodules: true}")
            #expect(refused.results == .failure)
            #expect(
                refused.harness.summary?.hasSuffix(
                    ": transport 'file' not allowed") == true)
            let allowed = """
                {repourl: source, submodules: true, mode: full, method: fresh, env: {
                  GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: protocol.file.allow,
                  GIT_CONFIG_VALUE_0: always}}
                """
            let run = try await git.run(allowed)
            #expect(run.results == .success, "\(run.log)")
            #expect(try git.read("sub/l") == "lib one")
            _ = try await git.commit("lib two", to: "l", in: "lib")
            try await git.source(
                [
                    "-c", "protocol.file.allow=always", "submodule", "update", "--remote",
                    "--quiet",
                ])
            _ = try await git.commit("two", to: "f")
            try git.folder.write("junk", to: "work/build/sub/junk")
            let next = try await git.run(allowed)
            #expect(next.results == .success, "\(next.log)")
            #expect(try git.read("sub/l") == "lib two")
            #expect(!git.folder.has("work/build/sub/junk"))
        }
    }

    @Test func `a full build also removes trees deeper than the longest path`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            let first = try await git.run("{repourl: source, mode: full}")
            #expect(first.results == .success, "\(first.log)")
            let name = String(repeating: "d", count: 50)
            var shell = Command.Shell(
                .script("for i in `seq 300`; do mkdir \(name) && cd -P \(name) || exit; done"),
                in: git.folder.workdir)
            shell.environment = ["PWD": git.folder.workdir]
            let made = try await LocalWorker(root: git.folder.root).run(.shell(shell)) { _ in }
            try #require(made.isSuccess)
            let run = try await git.run("{repourl: source, mode: full}")
            #expect(run.results == .success, "\(run.harness.summary ?? "")")
            #expect(try git.folder.names(in: "work/build") == [".git", "f"])
        }
    }

    @Test(arguments: [
        ("mode: incremental", ["built", "ignored", "nested/f"]), ("mode: full", []),
        ("mode: full, method: fresh", []), ("mode: full, method: clean", ["ignored"]),
        ("mode: full, method: clobber", []), ("mode: full, method: copy", []),
    ])
    func `each mode keeps its files`(_ settings: String, _ kept: [String]) async throws {
        try await GitFolder.with { git in
            try git.folder.write("ignored\n", to: "source/.gitignore")
            _ = try await git.commit("one", to: "f")
            let first = try await git.run("{repourl: source, \(settings)}")
            #expect(first.results == .success, "\(first.log)")
            for name in ["built", "ignored"] {
                try git.folder.write("x", to: "work/build/\(name)")
            }
            // What a build fetches may be a repository of its own.
            try await git.makeRepository("work/build/nested")
            _ = try await git.commit("x", to: "f", in: "work/build/nested")
            try git.folder.write("changed", to: "work/build/f")
            let run = try await git.run("{repourl: source, \(settings)}")
            #expect(run.results == .success, "\(run.log)")
            #expect(try git.read("f") == "one")
            let found = ["built", "ignored", "nested/f"].filter {
                git.folder.has("work/build/\($0)")
            }
            #expect(found == kept)
        }
    }

    @Test func `a method without full mode is an error`() {
        #expect(throws: ConfigurationError.self) {
            try StandardPlugins.Git.configured(yaml: "{repourl: x, method: clean}")
        }
    }

    @Test func `a branch that was pushed by force is followed`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            _ = try await git.commit("two", to: "f")
            _ = try await git.run("{repourl: source, branch: main}")
            try await git.source(["reset", "--hard", "-q", "HEAD~1"])
            let forced = try await git.commit("three", to: "f")
            let run = try await git.run("{repourl: source, branch: main}")
            #expect(run.revision == .string(forced), "\(run.log)")
            #expect(try git.read("f") == "three")
        }
    }

    @Test func `a repository that is not there, a branch that is not, and an empty one`()
        async throws
    {
        try await GitFolder.with { git in
            let wrong = try await git.run("FOLDER/none")
            #expect(wrong.results == .failure)
            let reason = "'\(git.folder.path)/none' does not appear to be a git repository"
            #expect(wrong.harness.summary == "git fetch: exit 128: \(reason)")
            let empty = try await git.run("source")
            #expect(empty.harness.summary == "no HEAD in \(git.folder.path)/source")
            let revision = try await git.commit("one", to: "f")
            let branch = try await git.run("{repourl: source, branch: x}")
            #expect(branch.harness.summary == "no branch 'x' in \(git.folder.path)/source")
            _ = try await git.run("source")
            try FileManager.default.removeItem(atPath: "\(git.folder.path)/source")
            let removed = try await git.run("source")
            #expect(removed.results == .failure)
            // What is there already needs no repository.
            let known = try await git.run("source", stamps: [SourceStamp(revision: revision)])
            #expect(known.revision == .string(revision), "\(known.log)")
        }
    }

    @Test func `another repository takes the place of the one before`() async throws {
        try await GitFolder.with { git in
            try await git.makeRepository("other")
            _ = try await git.commit("one", to: "f")
            let other = try await git.commit("other", to: "g", in: "other")
            _ = try await git.run("source")
            let run = try await git.run("other")
            #expect(run.revision == .string(other), "\(run.log)")
            #expect(try git.folder.names(in: "work/build") == [".git", "g"])
        }
    }

    @Test func `each codebase has its stamp, and got_revision has them all`() async throws {
        try await GitFolder.with { git in
            try await git.makeRepository("lib")
            let app = try await git.commit("app", to: "f")
            let lib = try await git.commit("lib", to: "l", in: "lib")
            _ = try await git.commit("newer", to: "l", in: "lib")
            let stamps = [
                SourceStamp(revision: lib, codebase: "lib"),
                SourceStamp(branch: "main", codebase: "app"),
            ]
            let harness = try git.harness(stamps: stamps)
            let steps = try [
                StandardPlugins.Git.configured(yaml: "{repourl: source, codebase: app}"),
                StandardPlugins.Git.configured(yaml: "{repourl: lib, codebase: lib}"),
            ]
            #expect(try await harness.run(steps[0]) == .success)
            #expect(try await harness.run(steps[1]) == .success)
            #expect(
                harness.properties["got_revision"]
                    == .object(["app": .string(app), "lib": .string(lib)]))
        }
    }

    @Test func `what an interrupted git left is removed, and a broken checkout made anew`()
        async throws
    {
        try await GitFolder.with { git in
            let revision = try await git.commit("one", to: "f")
            _ = try await git.run("source")
            try git.folder.write("", to: "work/build/.git/index.lock")
            try git.folder.write("", to: "work/build/.git/shallow.lock")
            let run = try await git.run("source")
            #expect(run.revision == .string(revision), "\(run.log)")
            #expect(run.log.contains("removing .git/index.lock"))
            try FileManager.default.removeItem(atPath: "\(git.folder.workdir)/.git/HEAD")
            let again = try await git.run("source")
            #expect(again.revision == .string(revision), "\(again.log)")
        }
    }

    @Test func `hooks and templates of the user are not run`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            let hook = "#!/bin/sh\ntouch \(git.folder.path)/hooked\n"
            for name in ["hooks/post-checkout", "template/hooks/post-checkout"] {
                try git.folder.write(hook, to: name)
                try FileManager.default.setAttributes(
                    [.posixPermissions: 0o755], ofItemAtPath: "\(git.folder.path)/\(name)")
            }
            try git.folder.write(
                """
                [core]
                hooksPath = \(git.folder.path)/hooks
                [init]
                templateDir = \(git.folder.path)/template
                """, to: "gitconfig")
            let run = try await git.run(
                "{repourl: source, env: {GIT_CONFIG_GLOBAL: FOLDER/gitconfig}}")
            #expect(run.results == .success, "\(run.log)")
            #expect(!git.folder.has("hooked"))
            #expect(!git.folder.has("work/build/.git/hooks/post-checkout"))
        }
    }

    @Test func `a limit of silence ends git`() async throws {
        try await GitFolder.with { git in
            let path = try git.fakeGit("[ \"$1\" = fetch ] && sleep 60; exec /usr/bin/git \"$@\"")
            _ = try await git.commit("one", to: "f")
            let run = try await git.run(
                "{repourl: source, timeout: 0.2, env: {PATH: '\(path)'}}")
            #expect(run.results == .failure)
            #expect(run.harness.hasTimedOut)
            #expect(run.harness.summary == "git fetch")
        }
    }

    @Test func `without git the state says so`() async throws {
        try await GitFolder.with { git in
            let run = try await git.run("{repourl: source, env: {PATH: FOLDER}}")
            #expect(run.results == .failure)
            #expect(run.harness.summary == "git: program not found")
        }
    }
}
