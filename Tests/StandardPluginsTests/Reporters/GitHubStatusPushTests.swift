import FoundationEssentials
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(1)))
struct GitHubStatusPushTests {
    private static let settings = "{token: !Secret token, baseURL: SERVER/api/v3/}"

    private func send(
        _ settings: String = settings, _ build: RecordedBuild, _ events: [Event]? = nil,
        generators: [any ReportGenerator]? = nil,
        answering handler: @escaping LoopbackServer.Handler = { _ in .text("{}", status: 201) }
    ) async throws -> [ReceivedRequest] {
        try await CommitStatusBench.send(
            GitHubStatusPush.self, settings, build, events, generators: generators,
            answering: handler)
    }

    @Test func `the status of the commit is set`() async throws {
        let build = RecordedBuild(
            builder: "linux", results: .failure, stateString: "failed 'make' (failure)",
            sourceStamps: CommitStatusBench.sources())
        let requests = try await send(Self.settings, build)
        let request = try #require(requests.first)
        #expect(requests.count == 1)
        #expect(request.method == "POST")
        #expect(
            request.target
                == "/api/v3/repos/owner/name/statuses/\(CommitStatusBench.revision)")
        #expect(request.header("Authorization") == "Bearer s3cret-t0ken")
        #expect(request.header("Accept") == "application/vnd.github+json")
        #expect(request.values(of: "Content-Type") == ["application/json"])
        let body = try CommitStatusBench.json(request)
        #expect(Set(body.keys) == ["state", "target_url", "description", "context"])
        #expect(body["state"] == "failure")
        #expect(body["context"] == "buildmaster/linux")
        #expect(body["description"] == "failed 'make' (failure)")
        #expect(body["target_url"]?.stringValue?.contains("/#/builders/1/builds/1") == true)
    }

    @Test func `each result has its state`() async throws {
        let states = try await CommitStatusBench.states(of: GitHubStatusPush.self, Self.settings)
        #expect(
            states == [
                "pending", "pending", "success", "success", "failure", "success", "error",
                "pending", "error",
            ])
    }

    @Test(arguments: [
        ("https://github.com/owner/name", "", "owner/name"),
        ("https://user:word@github.com/owner/name.git/", "", "owner/name"),
        ("git@github.com:owner/name.git", "", "owner/name"),
        ("ssh://git@github.com:22/owner/name", "", "owner/name"),
        ("https://git.example/sub/owner/a name", "", "owner/a%20name"),
        ("https://github.com/fork/name", "owner/name", "owner/name"),
        ("https://github.com/owner/name", "name", "owner/name"),
        ("https://github.com/owner/name", "Mobile / iOS", "owner/name"),
    ])
    func `the repository is that of the sources`(
        _ repository: String, _ project: String, _ path: String
    ) async throws {
        let build = RecordedBuild(
            sourceStamps: CommitStatusBench.sources(repository, project: project))
        let targets = try await send(Self.settings, build).map(\.target)
        #expect(targets == ["/api/v3/repos/\(path)/statuses/\(CommitStatusBench.revision)"])
    }

    @Test(arguments: [
        ("", CommitStatusBench.revision), ("/srv/ann/name", CommitStatusBench.revision),
        ("file:///srv/name.git", CommitStatusBench.revision),
        ("https://github.com/owner/name", nil),
    ])
    func `a build without a commit on a server has nothing to send`(
        _ repository: String, _ revision: String?
    ) async throws {
        let build = RecordedBuild(
            sourceStamps: CommitStatusBench.sources(repository, revision: revision))
        let error = await #expect(throws: DeliveryError.self) {
            try await send(Self.settings, build)
        }
        #expect(error?.verdict == .nothingToSend)
    }

    @Test func `the revision that the build has found counts, for each codebase`() async throws {
        let one = RecordedBuild(
            properties: ["got_revision": "abc"],
            sourceStamps: CommitStatusBench.sources(revision: nil))
        #expect(
            try await send(Self.settings, one).map(\.target)
                == ["/api/v3/repos/owner/name/statuses/abc"])
        let two = RecordedBuild(
            properties: ["got_revision": ["app": "a1", "lib": "b2"]],
            sourceStamps: ["app", "lib"].map {
                SourceStamp(repository: "https://github.com/owner/\($0)", codebase: $0)
            })
        #expect(
            try await send(Self.settings, two).map(\.target) == [
                "/api/v3/repos/owner/app/statuses/a1", "/api/v3/repos/owner/lib/statuses/b2",
            ])
    }

    @Test func `context and descriptions are computed for each report`() async throws {
        let settings = """
            token: t
            baseURL: SERVER
            context: !Template "ci/{{ buildername }}"
            repository: !Interpolate "owner/%(prop:name)s"
            startDescription: !Template "{{ build.number }} runs"
            endDescription: "\(String(repeating: "long ", count: 40))"
            """
        let build = RecordedBuild(
            number: 7, builder: "b", properties: ["name": "other"],
            sourceStamps: CommitStatusBench.sources())
        let requests = try await send(settings, build, [build.started, build.finished])
        #expect(requests.allSatisfy { $0.target.hasPrefix("/repos/owner/other/statuses/") })
        let bodies = try requests.map { try CommitStatusBench.json($0) }
        #expect(bodies.map { $0["context"] } == ["ci/b", "ci/b"])
        #expect(bodies.first?["description"] == "7 runs")
        let long = bodies.last?["description"]?.stringValue ?? ""
        #expect(long.count == 140)
        #expect(long.hasSuffix("…"))
    }

    @Test func `a generator's formatter gives the description, if it makes a text`() async throws {
        let build = RecordedBuild(sourceStamps: CommitStatusBench.sources())
        let text = try BuildStatusGenerator.configured(
            yaml: "{mode: all, message_formatter: {formatters.MessageFormatter: 'it {{ kind }}s'}}",
            registry: .standard)
        let request = try await send(Self.settings, build, generators: [text]).first
        #expect(try CommitStatusBench.json(try #require(request))["description"] == "it builds")
        let record = try BuildStatusGenerator.configured(
            yaml: """
                mode: all
                message_formatter: {formatters.MessageFormatterRenderable: !Property p}
                """, registry: .standard)
        let other = RecordedBuild(
            properties: ["p": ["a": 1]], sourceStamps: CommitStatusBench.sources())
        let error = await #expect(throws: DeliveryError.self) {
            try await send(Self.settings, other, generators: [record])
        }
        #expect(error?.verdict == .reject)
        #expect(error?.reason.contains("described by a text") == true)
    }

    @Test(arguments: [
        (401, DeliveryError.Verdict.retry(after: nil), "check that the credentials may set"),
        (404, .retry(after: nil), "check that owner/name has the commit 9fceb02"),
        (410, .reject, "answered 410"), (422, .reject, "check that owner/name has the commit"),
        (502, .retry(after: nil), "answered 502"),
        (307, .retry(after: nil), "whether owner/name has another name now"),
    ])
    func `an answer that is not a success says what to check`(
        _ status: Int, _ verdict: DeliveryError.Verdict, _ words: String
    ) async throws {
        let build = RecordedBuild(sourceStamps: CommitStatusBench.sources())
        let error = await #expect(throws: DeliveryError.self) {
            try await send(Self.settings, build) { _ in .text("s3cret-t0ken", status: status) }
        }
        #expect(error?.verdict == verdict)
        #expect(error?.reason.contains(words) == true, "\(error?.reason ?? "")")
        #expect(error?.reason.contains("s3cret") == false)
    }

    @Test(arguments: ["name", "../x", "owner/..", "owner/./name", "owner/../../admin"])
    func `a repository without an owner, or elsewhere, is a failed delivery`(
        _ repository: String
    ) async throws {
        let build = RecordedBuild(sourceStamps: CommitStatusBench.sources())
        let error = await #expect(throws: DeliveryError.self) {
            try await send("{token: t, baseURL: SERVER, repository: \(repository)}", build)
        }
        #expect(error?.verdict == .reject)
        let words = "the repository '\(repository)' is not OWNER/NAME; correct 'repository'"
        #expect(error?.reason.contains(words) == true)
    }

    @Test(arguments: [".", ".."])
    func `a revision that would lead to another address is a failed delivery`(
        _ revision: String
    ) async throws {
        let build = RecordedBuild(sourceStamps: CommitStatusBench.sources(revision: revision))
        let error = await #expect(throws: DeliveryError.self) {
            try await send(Self.settings, build)
        }
        #expect(error?.reason.contains("revision of the build, '\(revision)', is not") == true)
    }

    @Test func `a request has the properties that its build will have from it`() async throws {
        let build = RecordedBuild(builder: "linux", sourceStamps: CommitStatusBench.sources())
        let settings = """
            {token: t, baseURL: SERVER,
             context: !Interpolate "ci/%(prop:buildername)s/%(prop:branch)s"}
            """
        let requests = try await CommitStatusBench.send(
            GitHubStatusPush.self, settings, build, [build.requested])
        let body = try CommitStatusBench.json(try #require(requests.first))
        #expect(body["context"] == "ci/linux/main")
        #expect(body["state"] == "pending")
    }
}
