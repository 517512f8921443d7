import FoundationEssentials
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// Sends the reports of a reporter to a server of the test.
enum CommitStatusBench {
    /// The commit of the sample builds.
    static let revision = "9fceb02d0ae598e95dc970b74767f19372d61af8"

    /// The source stamps of a build of a repository.
    static func sources(
        _ repository: String = "https://git.example.org/owner/name.git",
        revision: String? = revision,
        project: String = ""
    ) -> [SourceStamp] {
        [
            SourceStamp(
                branch: "main", revision: revision, repository: repository, project: project)
        ]
    }

    /// Sends the reports of events; `SERVER` in the settings stands for the address of the server.
    static func send<R: Reporter>(
        _ type: R.Type, _ settings: String, _ build: RecordedBuild, _ events: [Event]? = nil,
        generators: [any ReportGenerator]? = nil,
        answering handler: @escaping LoopbackServer.Handler = { _ in .text("{}", status: 201) }
    ) async throws -> [ReceivedRequest] {
        try await withLoopbackServer(handler: handler) { server in
            let reporter = try R.configured(
                yaml: settings.replacing("SERVER", with: server.url), registry: .standard,
                scope: .service)
            let harness = try ReporterHarness(
                secrets: ["token": "s3cret-t0ken"],
                identity: MasterIdentity(buildbotURL: "https://ci.example.org/"))
            for event in events ?? [build.finished] {
                let reports = try await harness.reports(
                    of: reporter, for: event, of: build, generators: generators)
                for report in reports { try await harness.send(report, through: reporter) }
            }
            return server.requests
        }
    }

    /// The states of a request, a start and the ends with all results.
    static func states<R: Reporter>(
        of type: R.Type, _ settings: String
    ) async throws -> [String] {
        var states: [String] = []
        for results in Results.allCases {
            let build = RecordedBuild(results: results, sourceStamps: sources())
            let isFirst = results == .success
            let events = (isFirst ? [build.requested, build.started] : []) + [build.finished]
            for request in try await send(type, settings, build, events) {
                states.append(try json(request)["state"]?.stringValue ?? "")
            }
        }
        return states
    }

    static func json(_ request: ReceivedRequest) throws -> JSONObject {
        try #require(JSONParser().parse(request.body).objectValue)
    }
}
