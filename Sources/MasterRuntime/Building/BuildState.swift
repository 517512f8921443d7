internal import MasterKit
internal import Synchronization

/// What a running build knows and its steps change: properties and the result so far.
final class BuildState: Sendable {
    private struct State {
        var properties: Properties
        var results = Results.success
        var summaries: [String] = []
        var logs: [Int: [String]] = [:]
    }

    let build: Build
    let builder: BuilderConfiguration
    let sourceStamps: [SourceStamp]
    private let secrets: SecretValues
    private let worker: JSONObject
    private let identity: MasterIdentity
    private let state: Mutex<State>

    init(
        build: Build, builder: BuilderConfiguration, sourceStamps: [SourceStamp],
        secrets: SecretValues, worker: JSONObject, identity: MasterIdentity
    ) {
        self.build = build
        self.builder = builder
        self.sourceStamps = sourceStamps
        self.secrets = secrets
        self.worker = worker
        self.identity = identity
        self.state = Mutex(State(properties: build.properties))
    }

    var properties: Properties { state.withLock { $0.properties } }
    var results: Results { state.withLock { $0.results } }
    var logs: [Int: [String]] { state.withLock { $0.logs } }

    /// What the steps told so far for the build's state.
    var summaries: [String] { state.withLock { $0.summaries } }

    func setProperty(
        _ name: String, _ value: JSONValue, source: String
    ) throws(JSONTooLarge) {
        try state.withLock { state throws(JSONTooLarge) in
            try state.properties.setBounded(name, value, source: source)
        }
    }

    /// Takes the result of a step into the build's.
    func contribute(_ results: Results) {
        state.withLock { state in
            state.results = Results.worst(state.results, results) ?? results
        }
    }

    func tell(_ summary: String) {
        state.withLock { $0.summaries.append(summary) }
    }

    func note(log path: String, ofStep number: Int) {
        state.withLock { $0.logs[number, default: []].append(path) }
    }

    /// The build as values see it now.
    var renderContext: RenderContext {
        let (properties, results) = state.withLock { ($0.properties, $0.results) }
        return RenderContext(
            properties: properties, sourceStamps: sourceStamps, worker: worker, secrets: secrets,
            results: results, template: template(properties, results))
    }

    private func template(_ properties: Properties, _ results: Results) -> JSONObject {
        [
            "build": [
                "buildid": .int(build.id), "number": .int(build.number),
                "builderid": .int(build.builderID), "results": .int(results.rawValue),
            ],
            "buildername": .string(builder.name),
            "workername": properties["workername"] ?? .null,
            "properties": .object(properties.values),
            "results": .int(results.rawValue),
            "result_name": .string(results.name),
            "title_url": .string(identity.titleURL),
            "buildbot_title": .string(identity.title),
            "buildbot_url": .string(identity.buildbotURL),
            "sourcestamps": .array(sourceStamps.map { .object($0.json) }),
        ]
    }
}
