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

    func setProperty(_ name: String, _ value: JSONValue, source: String) throws(JSONTooLarge) {
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
            results: results, template: { self.template(properties, results) })
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

/// The means to stop a running build: by a message, never by cancelling its runner.
///
/// Cancellation is sticky: a cancelled runner could run no alwaysRun step. So each step is a task
/// of its own, and only the one that runs is cancelled.
final class BuildControl: Sendable {
    private struct State {
        var reason: String?
        var stopCount = 0
        var isTimedOut = false
        var running: (stopsNeeded: Int, cancel: @Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Why the build was stopped, `nil` while it may go on.
    var stopReason: String? { state.withLock { $0.reason } }

    /// Whether not even steps that always run may begin.
    var isAbandoned: Bool { state.withLock { $0.stopCount > 1 } }

    /// Whether the time of the build was over before its steps had ended.
    var isTimedOut: Bool { state.withLock { $0.isTimedOut } }

    /// Ends the build as a failure: the step that runs, unless it always runs, and those behind it
    /// that do not always run.
    func timeOut() {
        let cancel = state.withLock { state in
            state.isTimedOut = true
            return state.running.flatMap { $0.stopsNeeded == 1 ? $0.cancel : nil }
        }
        cancel?()
    }

    /// Stops the build; a second call also ends the steps that always run.
    func stop(_ reason: String) {
        let cancel = state.withLock { state in
            state.reason = state.reason ?? reason
            state.stopCount += 1
            return state.running.flatMap { $0.stopsNeeded <= state.stopCount ? $0.cancel : nil }
        }
        cancel?()
    }

    /// Runs a step's work in a task that ``stop(_:)`` cancels; one that always runs by the second.
    func run(
        alwaysRun: Bool, _ work: @escaping @Sendable () async -> StepOutcome
    ) async -> StepOutcome {
        // Not a child task: cancelling the runner must not reach it. It ends with its work, which
        // is awaited below.
        let task = Task { await work() }
        let stopsNeeded = alwaysRun ? 2 : 1
        let isStopped = state.withLock { state in
            state.running = (stopsNeeded, { task.cancel() })
            return state.stopCount >= stopsNeeded || state.isTimedOut && !alwaysRun
        }
        if isStopped { task.cancel() }
        let outcome = await task.value
        state.withLock { $0.running = nil }
        return outcome
    }
}
