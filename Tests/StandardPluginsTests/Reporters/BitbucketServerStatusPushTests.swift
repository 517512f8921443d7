import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BitbucketServerStatusPushTests {
    private static let settings = "{auth: {bearer: !Secret token}, baseURL: SERVER/bitbucket}"

    @Test func `the status of the commit is set`() async throws {
        let build = RecordedBuild(
            builder: "linux", stateString: String(repeating: "s", count: 300),
            sourceStamps: CommitStatusBench.sources("ssh://git@bb.example.org:7999/ci/app.git"))
        let requests = try await CommitStatusBench.send(
            BitbucketServerStatusPush.self, Self.settings, build
        ) { _ in .text("", status: 204) }
        let request = try #require(requests.first)
        #expect(
            request.target
                == "/bitbucket/rest/api/1.0/projects/ci/repos/app/commits/"
                + "\(CommitStatusBench.revision)/builds")
        #expect(request.header("Authorization") == "Bearer s3cret-t0ken")
        let body = try CommitStatusBench.json(request)
        #expect(Set(body.keys) == ["state", "key", "name", "url", "description"])
        #expect(body["key"] == "buildmaster/linux")
        #expect(body["description"]?.stringValue?.count == 255)
    }

    @Test(arguments: [
        ("https://bb.example.org/scm/ci/app.git", "ci", "app"),
        ("https://bb.example.org/projects/CI/repos/app", "CI", "app"),
        ("https://example.org/bitbucket/projects/CI/repos/app/browse", "CI", "app"),
        ("https://bb.example.org/users/ann/repos/app", "~ann", "app"),
        ("https://bb.example.org/scm/~ann/app.git", "~ann", "app"),
    ])
    func `addresses of pages and of clones name the project and the repository`(
        _ address: String, _ project: String, _ name: String
    ) async throws {
        // The name of a project of Bitbucket can look like a path.
        let build = RecordedBuild(
            sourceStamps: CommitStatusBench.sources(address, project: "Mobile/iOS"))
        let requests = try await CommitStatusBench.send(
            BitbucketServerStatusPush.self, Self.settings, build)
        #expect(
            requests.first?.target.hasPrefix(
                "/bitbucket/rest/api/1.0/projects/\(project)/repos/\(name)/commits/") == true,
            "\(requests.first?.target ?? "")")
    }

    @Test func `a repository without a project is a failed delivery`() async throws {
        let build = RecordedBuild(sourceStamps: CommitStatusBench.sources("git@bb.example.org:app"))
        let error = await #expect(throws: DeliveryError.self) {
            try await CommitStatusBench.send(
                BitbucketServerStatusPush.self, Self.settings, build)
        }
        #expect(error?.verdict == .reject)
    }

    @Test func `each result has its state`() async throws {
        let states = try await CommitStatusBench.states(
            of: BitbucketServerStatusPush.self, Self.settings)
        #expect(
            states == [
                "INPROGRESS", "INPROGRESS", "SUCCESSFUL", "SUCCESSFUL", "FAILED", "SUCCESSFUL",
                "FAILED", "INPROGRESS", "FAILED",
            ])
    }
}
