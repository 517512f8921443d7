import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

/// What builds take of their source stamps.
struct GitSourceStampTests {
    @Test(arguments: [
        ("https://me@h.example/a/b.git", "git@h.example:a/b", true),
        ("https://h.example/a/b", "https://h.example/a/c", false),
        ("https://h.example/a/b/", "ssh://git@h.example/a/b.git", true),
        ("/srv/me", "https://h.example/a/b", true), ("/srv/c.git", "https://h.example/b", false),
        ("file:///srv/b.git", "/srv/b", true), ("/srv/mirror/b.git", "https://h.example/a/b", true),
        ("ssh://git@h.example:2222/a/b.git", "http://h.example:3000/A/B", true),
        ("https://bb.example/scm/ci/b.git", "https://bb.example/projects/CI/repos/b", true),
        ("https://h.example/a/b", "app", true), ("git@h.example:b", "https://h.example/x/c", false),
    ])
    func `a source stamp of another repository is told from one of the same`(
        _ url: String, _ stamp: String, _ isSame: Bool
    ) {
        let (address, other) = (RepositoryAddress(text: url), RepositoryAddress(text: stamp))
        #expect(address.mayBe(other, around: "/srv/me/project") == isSame)
    }

    @Test func `a source stamp of another repository does not count`() async throws {
        try await GitFolder.with { git in
            let newest = try await git.commit("a", to: "f")
            let stamp = SourceStamp(
                branch: "topic", revision: String(repeating: "a", count: 40),
                repository: "https://h.example/other.git")
            let run = try await git.run("source", stamps: [stamp])
            #expect(run.results == .success, "\(run)")
            #expect(run.revision == .string(newest))
            #expect(run.log.contains("source stamp is of another repository"))
        }
    }

    @Test func `the log says that a codebase has no source stamp`() async throws {
        try await GitFolder.with { git in
            let newest = try await git.commit("a", to: "f")
            let run = try await git.run(
                "{repourl: source, codebase: app}", stamps: [SourceStamp(branch: "topic")])
            #expect(run.results == .success, "\(run)")
            #expect(run.harness.properties["got_revision"]?["app"] == .string(newest))
            #expect(run.log.contains("no source stamp of the codebase 'app'"))
            let own = try await git.run("source", stamps: [SourceStamp(branch: "main")])
            #expect(!own.log.contains("no source stamp"))
        }
    }

    @Test func `the ref of a merge is built, not the commit that is merged there`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("one", to: "f")
            try await git.source(["checkout", "-q", "-b", "topic"])
            let topic = try await git.commit("two", to: "g")
            try await git.source(["checkout", "-q", "main"])
            _ = try await git.commit("three", to: "h")
            try await git.source(["merge", "-q", "--no-ff", "--no-edit", "topic"])
            let merge = try await git.source(["rev-parse", "HEAD"])
            try await git.source(["update-ref", "refs/pull/5/merge", merge])
            try await git.source(["update-ref", "refs/pull/5/head", topic])
            try await git.source(["reset", "-q", "--hard", "HEAD^"])
            for (ref, expected) in [("merge", merge), ("head", topic)] {
                let stamp = SourceStamp(branch: "refs/pull/5/\(ref)", revision: topic)
                let run = try await git.run("source", stamps: [stamp])
                #expect(run.revision == .string(expected), "\(run.log)")
            }
        }
    }
}
