import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(1)))
struct GitLabStatusPushTests {
    private static let settings = "{token: !Secret token, baseURL: SERVER}"

    @Test func `the status of the commit is set in its project`() async throws {
        let build = RecordedBuild(
            builder: "linux",
            sourceStamps: CommitStatusBench.sources("git@gitlab.com:group/sub/name.git"))
        let requests = try await CommitStatusBench.send(
            GitLabStatusPush.self, Self.settings, build)
        let request = try #require(requests.first)
        #expect(request.method == "POST")
        #expect(
            request.target
                == "/api/v4/projects/group%2Fsub%2Fname/statuses/\(CommitStatusBench.revision)")
        #expect(request.header("Private-Token") == "s3cret-t0ken")
        let body = try CommitStatusBench.json(request)
        #expect(Set(body.keys) == ["state", "target_url", "description", "name", "ref"])
        #expect(body["name"] == "buildmaster/linux")
        #expect(body["ref"] == "main")
    }

    @Test(arguments: ["..", "group/../other", "/"])
    func `a repository elsewhere is a failed delivery`(_ repository: String) async throws {
        let build = RecordedBuild(sourceStamps: CommitStatusBench.sources())
        let error = await #expect(throws: DeliveryError.self) {
            try await CommitStatusBench.send(
                GitLabStatusPush.self, "{token: t, baseURL: SERVER, repository: \(repository)}",
                build)
        }
        #expect(error?.verdict == .reject)
        #expect(error?.reason.contains("the repository '\(repository)' is not") == true)
    }

    @Test func `a merge request has its status where it comes from`() async throws {
        var build = RecordedBuild(sourceStamps: CommitStatusBench.sources())
        build.properties = Properties(
            ["source_branch": "topic", "source_project_id": 42], source: "Change")
        let requests = try await CommitStatusBench.send(
            GitLabStatusPush.self, Self.settings, build,
            [build.requested, build.started, build.finished])
        #expect(requests.count == 3)
        for request in requests {
            #expect(
                request.target == "/api/v4/projects/42/statuses/\(CommitStatusBench.revision)")
            #expect(try CommitStatusBench.json(request)["ref"] == "topic")
        }
        let given = try await CommitStatusBench.send(
            GitLabStatusPush.self,
            "{token: !Secret token, baseURL: SERVER, repository: group/name}", build)
        #expect(given.first?.target.contains("/projects/group%2Fname/") == true)
        // Properties of the file mean something else.
        build.properties = Properties(["source_project_id": 42], source: "Builder")
        let other = try await CommitStatusBench.send(GitLabStatusPush.self, Self.settings, build)
        #expect(other.first?.target.contains("/projects/owner%2Fname/") == true)
    }

    @Test func `the path of the server is no part of its projects`() async throws {
        let build = RecordedBuild(
            sourceStamps: CommitStatusBench.sources("https://example.org/gitlab/group/name.git"))
        let requests = try await CommitStatusBench.send(
            GitLabStatusPush.self, "{token: !Secret token, baseURL: SERVER/gitlab/}", build)
        #expect(
            requests.first?.target.hasPrefix("/gitlab/api/v4/projects/group%2Fname/statuses/")
                == true)
    }

    @Test func `each result has its state`() async throws {
        let states = try await CommitStatusBench.states(of: GitLabStatusPush.self, Self.settings)
        #expect(
            states == [
                "pending", "running", "success", "success", "failed", "success", "failed",
                "pending", "canceled",
            ])
    }

    @Test func `a state that the status has already is delivered`() async throws {
        let build = RecordedBuild(sourceStamps: CommitStatusBench.sources())
        let answer = #"{"message":"Cannot transition status via :run from :running"}"#
        _ = try await CommitStatusBench.send(GitLabStatusPush.self, Self.settings, build) { _ in
            .text(answer, status: 400)
        }
        let error = await #expect(throws: DeliveryError.self) {
            try await CommitStatusBench.send(GitLabStatusPush.self, Self.settings, build) { _ in
                .text("{}", status: 400)
            }
        }
        #expect(error?.verdict == .reject)
    }
}
