import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(1)))
struct BitbucketStatusPushTests {
    private static let settings = "{auth: [ann, !Secret token], baseURL: SERVER/2.0}"

    @Test func `the status of the commit is set`() async throws {
        let build = RecordedBuild(builder: "linux", sourceStamps: CommitStatusBench.sources())
        let requests = try await CommitStatusBench.send(
            BitbucketStatusPush.self, Self.settings, build)
        let request = try #require(requests.first)
        #expect(
            request.target
                == "/2.0/repositories/owner/name/commit/\(CommitStatusBench.revision)/statuses/build"
        )
        #expect(request.header("Authorization") == "Basic YW5uOnMzY3JldC10MGtlbg==")
        let body = try CommitStatusBench.json(request)
        #expect(
            Set(body.keys) == ["state", "key", "name", "url", "description", "refname"])
        #expect(body["key"] == "buildmaster/linux")
    }

    @Test func `a long context has a short key`() async throws {
        let build = RecordedBuild(
            builder: String(repeating: "b", count: 40), sourceStamps: CommitStatusBench.sources())
        let requests = try await CommitStatusBench.send(
            BitbucketStatusPush.self, Self.settings, build)
        let body = try CommitStatusBench.json(try #require(requests.first))
        #expect(body["key"]?.stringValue?.count == 40)
        #expect(body["key"]?.stringValue?.allSatisfy(\.isHexDigit) == true)
        #expect(body["name"]?.stringValue?.count == 52)
    }

    @Test func `each result has its state`() async throws {
        let states = try await CommitStatusBench.states(of: BitbucketStatusPush.self, Self.settings)
        #expect(
            states == [
                "INPROGRESS", "INPROGRESS", "SUCCESSFUL", "SUCCESSFUL", "FAILED", "SUCCESSFUL",
                "FAILED", "INPROGRESS", "STOPPED",
            ])
    }
}
