import FoundationEssentials
public import MasterKit

/// Sends builds as events of the CDEvents specification, in CloudEvents over HTTP.
public struct CloudEvents: Reporter {
    /// What the reporter does.
    public static let summary =
        "Sends requests, starts and ends of builds as CDEvents, in CloudEvents over HTTP."

    @Setting("The address that gets the events.", .primary)
    var serverUrl: ReportedSetting<HTTPAddress>

    @Setting("Where the events come from; by default the address of the master.", .notEmpty)
    var source: String?

    @Setting("Credentials for the request.", .secret)
    var auth: Renderable<KnownAuth?>

    @Setting("Headers of each request; null removes one that is sent by default.")
    var headers: ReportedSetting<HeaderFields?>

    @SettingGroup var connection: ReporterConnection

    /// Creates an unconfigured reporter.
    public init() {}

    /// A request, the start and the end of its build.
    public var defaultGenerators: [any ReportGenerator] {
        [BuildRequestGenerator(), BuildStartEndStatusGenerator()]
    }
    /// The event.
    public var defaultFormatter: any MessageFormatter { CDEventFormatter(source: source) }
    /// Only the event is used.
    public var usesRecords: Bool { false }
    /// What the settings use.
    public var uses: ReportUses { serverUrl.uses.union(headers.uses) }

    /// Sends an event, whose id is that of the delivery.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        guard case .json(.object(var event)) = report.body,
            var about = event["context"]?.objectValue,
            let type = about["type"]?.stringValue, let source = about["source"]?.stringValue,
            let time = about["timestamp"]?.stringValue,
            let subject = event["subject"]?["id"]?.stringValue
        else {
            throw DeliveryError(
                .reject, "the body is not an event of CDEvents; remove the generator's formatter")
        }
        about["id"] = .string(context.id)
        event["context"] = .object(about)
        var request = HTTPRequest(.post, try context.render(serverUrl.value, for: report))
        request.body = .bytes(
            JSONWriter.compact.bytes(.object(event)), contentType: "application/cdevents+json")
        if let fields = try context.render(headers.value, for: report) {
            request.headers = fields.headers
            request.suppressedHeaders = fields.removed
        }
        let attributes = [
            ("specversion", "1.0"), ("id", context.id), ("type", type), ("source", source),
            ("subject", subject), ("time", time),
        ]
        for (name, value) in attributes {
            request.headers.set("ce-\(name)", Self.headerValue(of: value))
        }
        request.authentication = try context.render(auth)?.authentication
        let response = try await connection.send(request, in: context)
        let error = DeliveryError(
            answering: response, in: context, remedy: Self.remedy(response.status))
        if let error { throw error }
    }

    private static func remedy(_ status: Int) -> String? {
        switch status {
        case 401, 403, 407: "check 'auth' and 'headers'"
        case 300..<400, 404: "check 'serverUrl'"
        default: nil
        }
    }

    /// A value as a header of CloudEvents: all but printable ASCII is percent-encoded, and so are
    /// spaces, quotes and percent signs.
    private static func headerValue(of text: String) -> String {
        text.unicodeScalars.map { scalar in
            let isPlain = ("!"..."~").contains(scalar) && scalar != "\"" && scalar != "%"
            return isPlain ? String(scalar) : String(scalar).percentEncoded
        }.joined()
    }

    /// The address of all events, if it is the same for all.
    public func receiver(in context: DeliveryContext) throws -> String? {
        guard serverUrl.uses.isEmpty else { return nil }
        return try context.render(serverUrl.value).text
    }

    /// The server of an event, if it depends on the report.
    public func origin(of report: Report, in context: DeliveryContext) throws -> String? {
        guard !serverUrl.uses.isEmpty else { return nil }
        return try context.render(serverUrl.value, for: report).origin
    }
}

/// An event of CDEvents 0.5 about the run of a pipeline, without the id of the event.
struct CDEventFormatter: MessageFormatter {
    static let summary = "An event of CDEvents."

    private var source: String?

    init() {}

    init(source: String?) {
        self.source = source
    }

    var wanted: BuildDetails { BuildDetails(properties: false) }

    func format(_ topic: ReportTopic) throws -> Message {
        guard let build = topic.build else {
            throw CDEventFault(description: "an event is about a build, not a buildset")
        }
        let request = build["buildrequest"] ?? .object(build)
        let (predicate, moment) =
            switch (topic.results, build["number"]) {
            case (.some, _): ("finished", build["complete_at"] ?? request["complete_at"])
            case (nil, nil): ("queued", request["submitted_at"])
            case (nil, .some): ("started", build["started_at"])
            }
        let time = Date(timeIntervalSince1970: Double(moment?.intValue ?? 0))
        let source = source ?? topic.master.buildbotURL
        let id = request["buildrequestid"]?.intValue ?? 0
        var content: JSONObject = [
            "pipelineName": .string(topic.builderName ?? ""),
            "uri": build["url"] ?? .string(source),
        ]
        if let results = topic.results {
            content["outcome"] = .string(Self.outcome(of: results))
            if Self.outcome(of: results) != "success" {
                content["errors"] = build["state_string"] ?? .string(results.name)
            }
        }
        return Message(
            .json([
                "context": [
                    "specversion": "0.5.0", "id": "", "source": .string(source),
                    "type": .string("dev.cdevents.pipelinerun.\(predicate).0.3.0"),
                    "timestamp": .string(time.formatted(.iso8601)),
                ],
                "subject": [
                    "id": .string("buildrequests/\(id)"), "source": .string(source),
                    "content": .object(content),
                ],
            ]))
    }

    private static func outcome(of results: Results) -> String {
        switch results {
        case .success, .warnings, .skipped: "success"
        case .failure: "failure"
        case .exception, .retry, .cancelled: "error"
        }
    }
}

/// A topic that is not an event.
private struct CDEventFault: Error, CustomStringConvertible {
    let description: String
}
