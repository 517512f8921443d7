import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(1)))
struct GiteaStatusPushTests {
    private static let settings = "{token: !Secret token, baseURL: SERVER/git}"

    @Test func `the status of the commit is set`() async throws {
        let build = RecordedBuild(builder: "linux", sourceStamps: CommitStatusBench.sources())
        let requests = try await CommitStatusBench.send(GiteaStatusPush.self, Self.settings, build)
        let request = try #require(requests.first)
        #expect(
            request.target
                == "/git/api/v1/repos/owner/name/statuses/\(CommitStatusBench.revision)")
        #expect(request.header("Authorization") == "token s3cret-t0ken")
        let body = try CommitStatusBench.json(request)
        #expect(Set(body.keys) == ["state", "target_url", "description", "context"])
    }

    @Test(arguments: [("", "warning"), (", warningAsSuccess: true", "success")])
    func `each result has its state`(_ setting: String, _ warnings: String) async throws {
        let states = try await CommitStatusBench.states(
            of: GiteaStatusPush.self, Self.settings.replacing("/git}", with: "\(setting)}"))
        #expect(
            states == [
                "pending", "pending", "success", warnings, "failure", "success", "error",
                "pending", "error",
            ])
    }
}
