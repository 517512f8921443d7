import FoundationEssentials
import Testing

@testable import MasterCommand

struct GitCheckoutTests {
    private let revision = "0123456789abcdef0123456789abcdef01234567"

    /// Looks at a folder made of files.
    private func checkout(
        _ files: [String: String], around name: String = ""
    ) async throws -> GitCheckout? {
        try await Program.inFolder { program in
            for (file, text) in files {
                let folder = URL(filePath: "\(program.folder)/\(file)").deletingLastPathComponent()
                try FileManager.default.createDirectory(
                    at: folder, withIntermediateDirectories: true)
                try program.write(text, to: file)
            }
            return GitCheckout(around: program.folder + name)
        }
    }

    private let config = """
        [core]
        \tbare = false
        [remote "other"]
        \turl = https://example.com/other.git
        [remote "origin"]
        \turl = https://me:secret@example.com/mine.git
        \tfetch = +refs/heads/*:refs/remotes/origin/*
        """

    @Test func `branch, revision and repository come from the checkout`() async throws {
        let checkout = try await checkout(
            [
                ".git/HEAD": "ref: refs/heads/topic/one\n",
                ".git/refs/heads/topic/one": revision + "\n",
                ".git/config": config, "deep/down/master.yaml": "",
            ], around: "/deep/down")
        #expect(checkout?.branch == "topic/one")
        #expect(checkout?.revision == revision)
        #expect(checkout?.repository == "https://example.com/mine.git")
    }

    @Test func `a packed reference is found`() async throws {
        let checkout = try await checkout([
            ".git/HEAD": "ref: refs/heads/main\n",
            ".git/packed-refs": "# pack-refs with: peeled\n\(revision) refs/heads/main\n",
        ])
        #expect(checkout?.revision == revision)
        #expect(checkout?.repository == nil)
    }

    @Test func `a revision by itself has no branch`() async throws {
        let checkout = try await checkout([".git/HEAD": revision + "\n"])
        #expect(checkout?.branch == nil)
        #expect(checkout?.revision == revision)
    }

    @Test func `a further work tree finds what it shares`() async throws {
        let checkout = try await checkout(
            [
                "tree/.git": "gitdir: ../main/.git/worktrees/tree\n",
                "main/.git/worktrees/tree/HEAD": "ref: refs/heads/side\n",
                "main/.git/worktrees/tree/commondir": "../..\n",
                "main/.git/refs/heads/side": revision, "main/.git/config": config,
            ], around: "/tree")
        #expect(checkout?.branch == "side")
        #expect(checkout?.revision == revision)
        #expect(checkout?.repository == "https://example.com/mine.git")
    }

    @Test func `a folder outside of any checkout has none`() async throws {
        #expect(try await checkout(["master.yaml": ""]) == nil)
    }

    @Test(arguments: [
        ("https://me:pw@example.com/a@b.git", "https://example.com/a@b.git"),
        ("https://example.com/a.git", "https://example.com/a.git"),
        ("git@example.com:a.git", "git@example.com:a.git"),
        ("/srv/a.git", "/srv/a.git"),
        ("ssh://git@example.com", "ssh://example.com"),
    ])
    func `user and password of an address are taken away`(address: String, shown: String) {
        #expect(GitCheckout.withoutUser(address) == shown)
    }
}
