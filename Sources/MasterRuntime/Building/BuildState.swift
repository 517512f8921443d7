internal import MasterKit
internal import Synchronization

/// The state of a running build that its steps change: properties and the result so far.
final class BuildState: Sendable {
    private struct State {
        var properties: Properties
        /// The size of the properties in bytes.
        var size: Int
        var results = Results.success
        var summaries: [String] = []
        var notReached: [String] = []
        var isCutShort = false
        var isWorkerLost = false
        var logs: [Int: [String]] = [:]
    }

    let build: Build
    let builder: BuilderConfiguration
    let sourceStamps: [SourceStamp]
    /// The programs that keep running after the steps that started them.
    let programs = BackgroundPrograms()
    private let secrets: SecretValues
    private let worker: JSONObject
    /// The folder of the builder on the worker.
    let builddir: String
    private let identity: MasterIdentity
    private let state: Mutex<State>

    init(
        build: Build, builder: BuilderConfiguration, sourceStamps: [SourceStamp],
        secrets: SecretValues, worker: JSONObject, builddir: String, identity: MasterIdentity
    ) {
        self.build = build
        self.builder = builder
        self.sourceStamps = sourceStamps
        self.secrets = secrets
        self.worker = worker
        self.builddir = builddir
        self.identity = identity
        self.state = Mutex(State(properties: build.properties, size: build.properties.size))
    }

    /// The builder with the number of the build, for messages.
    var name: String { "\(builder.name) #\(build.number)" }
    var properties: Properties { state.withLock { $0.properties } }
    var results: Results { state.withLock { $0.results } }
    var logs: [Int: [String]] { state.withLock { $0.logs } }

    /// The summaries of the steps so far, for the build's state string.
    var summaries: [String] { state.withLock { $0.summaries } }

    /// The names of the steps that the build ended before.
    var notReached: [String] { state.withLock { $0.notReached } }

    func setProperty(_ name: String, _ value: JSONValue, source: String) throws(JSONTooLarge) {
        try state.withLock { state throws(JSONTooLarge) in
            try state.properties.setBounded(name, value, source: source, of: &state.size)
        }
    }

    /// Whether its worker was lost.
    var isWorkerLost: Bool { state.withLock { $0.isWorkerLost } }

    func noteLoss() {
        state.withLock { $0.isWorkerLost = true }
    }

    /// Merges the result of a step into the build's.
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

    /// Forgets the logs of a step's last attempt but for one, because another attempt begins.
    func forgetLogs(ofStep number: Int, except path: String?) {
        state.withLock { $0.logs[number]?.removeAll { $0 != path } }
    }

    func note(notReached name: String) {
        state.withLock { $0.notReached.append(name) }
    }

    /// Whether steps were not run because the build was stopped.
    var isCutShort: Bool { state.withLock { $0.isCutShort } }

    func noteCutShort() {
        state.withLock { $0.isCutShort = true }
    }

    /// The current context for rendering values.
    var renderContext: RenderContext {
        let (properties, results) = state.withLock { ($0.properties, $0.results) }
        return RenderContext(
            properties: properties, sourceStamps: sourceStamps, worker: worker, secrets: secrets,
            results: results, template: { self.template(properties, results) })
    }

    private func template(_ properties: Properties, _ results: Results) -> JSONObject {
        JSONObject(
            templateOf: (build.id, build.number, build.builderID), builder: builder.name,
            properties, results, sourceStamps, identity)
    }
}

extension JSONObject {
    /// The variables of templates in a build's steps.
    init(
        templateOf build: (id: Int, number: Int, builderID: Int), builder: String,
        _ properties: Properties, _ results: Results, _ stamps: [SourceStamp],
        _ identity: MasterIdentity
    ) {
        self = [
            "build": [
                "buildid": .int(build.id), "number": .int(build.number),
                "builderid": .int(build.builderID), "results": .int(results.rawValue),
            ],
            "buildername": .string(builder),
            "workername": properties["workername"] ?? .null,
            "properties": .object(properties.values),
            "results": .int(results.rawValue),
            "result_name": .string(results.name),
            "title_url": .string(identity.titleURL),
            "buildbot_title": .string(identity.title),
            "buildbot_url": .string(identity.buildbotURL),
            "sourcestamps": .array(stamps.map { .object($0.json) }),
        ]
    }
}

/// Stops a running build by a message, never by cancelling its runner.
///
/// Cancellation is sticky: a cancelled runner could not run any alwaysRun steps. So each step runs
/// in its own task, and only the current one is cancelled.
final class BuildControl: Sendable {
    private struct State {
        var reason: String?
        /// How often a user has stopped the build.
        var stopCount = 0
        var isInterrupted = false
        /// Whether it was ended otherwise.
        var isEnded = false
        var isTimedOut = false
        var pausedTime = Duration.zero
        var pausedSince: ContinuousClock.Instant?
        var running: (stopsNeeded: Int, cancel: @Sendable () -> Void)?

        /// Whether a step that takes a number of stops to be cancelled must end.
        func isStopped(_ stopsNeeded: Int) -> Bool {
            stopCount >= stopsNeeded || isEnded && stopsNeeded == 1
        }
    }

    private let state = Mutex(State())
    /// Raised at the end of a pause.
    private let pauseEnd = Signal()

    /// Why the build was stopped, or `nil` if it was not.
    var stopReason: String? { state.withLock { $0.reason } }

    /// Whether not even alwaysRun steps may begin.
    var isAbandoned: Bool { state.withLock { $0.stopCount > 1 } }

    /// Whether the build exceeded its maxTime.
    var isTimedOut: Bool { state.withLock { $0.isTimedOut } }

    /// How long the build has waited for decisions about failures.
    var pausedTime: Duration {
        state.withLock { state in
            state.pausedTime + (state.pausedSince.map { .now - $0 } ?? .zero)
        }
    }

    /// Begins a pause, during which the time limit of the build does not run.
    func beginPause() {
        state.withLock { $0.pausedSince = .now }
    }

    func endPause() {
        state.withLock { state in
            state.pausedTime += state.pausedSince.map { .now - $0 } ?? .zero
            state.pausedSince = nil
        }
        pauseEnd.raise()
    }

    /// Waits until the build has run for the given time, not counting pauses.
    func sleep(
        for limit: Duration, clock: some Clock<Duration> = ContinuousClock()
    ) async throws {
        let begin = ContinuousClock.now
        while true {
            while state.withLock({ $0.pausedSince != nil }) {
                await pauseEnd.wait()
                try Task.checkCancellation()
            }
            let left = limit - (.now - begin - pausedTime)
            guard left > .zero else { return }
            try await clock.sleep(for: left)
        }
    }

    /// Ends the build as a failure: cancels the current step and skips later ones, except for
    /// alwaysRun steps.
    func timeOut() {
        let cancel = state.withLock { state in
            state.isTimedOut = true
            return state.running.flatMap { $0.stopsNeeded == 1 ? $0.cancel : nil }
        }
        cancel?()
    }

    /// Stops the build for a user; a second call also stops alwaysRun steps.
    func stop(_ reason: String) {
        stop(reason) { $0.stopCount += 1 }
    }

    /// Ends the build; alwaysRun steps still run, unless a user has stopped it twice.
    func end(_ reason: String) {
        stop(reason) { $0.isEnded = true }
    }

    private func stop(_ reason: String, _ note: (inout State) -> Void) {
        let cancel = state.withLock { state in
            state.reason = state.reason ?? reason
            note(&state)
            return state.running.flatMap { state.isStopped($0.stopsNeeded) ? $0.cancel : nil }
        }
        cancel?()
    }

    /// Stops the build like ``stop(_:)``, but so that it ends as retry and is run again by the next
    /// master; a build that has been stopped already remains so.
    func interrupt(_ reason: String) {
        state.withLock { state in
            if state.stopCount == 0 { state.isInterrupted = true }
        }
        stop(reason)
    }

    /// Whether the build is stopped only for the next master to run it again.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// Runs a step's work in a task that ``stop(_:)`` cancels; an alwaysRun step is cancelled by
    /// the second call.
    func run<Outcome: Sendable>(
        alwaysRun: Bool, _ work: @escaping @Sendable () async -> Outcome
    ) async -> Outcome {
        // Not a child task, because cancelling the runner must not affect it. It ends with its
        // work, which is awaited below.
        let task = Task { await work() }
        let stopsNeeded = alwaysRun ? 2 : 1
        let isStopped = state.withLock { state in
            state.running = (stopsNeeded, { task.cancel() })
            return state.isStopped(stopsNeeded) || state.isTimedOut && !alwaysRun
        }
        if isStopped { task.cancel() }
        let outcome = await task.value
        state.withLock { $0.running = nil }
        return outcome
    }
}
