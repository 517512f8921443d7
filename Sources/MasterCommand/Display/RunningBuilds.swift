internal import FoundationEssentials
internal import MasterKit
internal import OrderedCollections

/// The builds of a run, according to the events so far.
struct RunningBuilds {
    /// The maximum number of finished builds kept.
    private static let bound = 200

    /// The running builds by ID, in the order they started.
    private(set) var running: OrderedDictionary<Int, BuildView> = [:]
    /// The last finished builds in the order they ended, with the steps that need attention.
    private(set) var finished: [BuildView] = []
    /// The number of successful builds that were dropped from ``finished``.
    private(set) var succeededCount = 0

    /// Applies an event.
    ///
    /// - Returns: The progress to show, or `nil` if there is none, as for builds whose start was
    ///   missed.
    mutating func apply(_ event: Event) -> BuildProgress? {
        switch event.kind {
        case .buildNew: start(event)
        case .buildFinished: finish(event)
        case .stepNew, .stepStarted, .stepUpdated, .stepFinished: step(event)
        default: nil
        }
    }

    private mutating func start(_ event: Event) -> BuildProgress? {
        guard let id = event.record["buildid"]?.intValue,
            let number = event.record["number"]?.intValue, let builder = event.builderName
        else { return nil }
        let build = BuildView(
            id: id, request: event.record["buildrequestid"]?.intValue ?? 0, builder: builder,
            number: number, startedAt: event.at, stateString: event.text("state_string"))
        running[id] = build
        return .buildStarted(build)
    }

    private mutating func finish(_ event: Event) -> BuildProgress? {
        guard let id = event.record["buildid"]?.intValue,
            var build = running.removeValue(forKey: id)
        else { return nil }
        build.completeAt = event.at
        build.results = event.results
        build.stateString = event.text("state_string")
        keep(build)
        return .buildFinished(build)
    }

    private mutating func keep(_ build: BuildView) {
        var build = build
        build.steps = build.notableSteps
        finished.append(build)
        guard finished.count > Self.bound else { return }
        let dropped = finished.firstIndex { $0.results == .success } ?? 0
        if finished.remove(at: dropped).results == .success { succeededCount += 1 }
    }

    private mutating func step(_ event: Event) -> BuildProgress? {
        guard let buildID = event.record["buildid"]?.intValue ?? event.buildID,
            let id = event.record["stepid"]?.intValue, let place = running.index(forKey: buildID)
        else { return nil }
        // Changed in place: a copy of all steps for each event adds up in a long build.
        let (step, isShown) = running.values[place].apply(event, toStep: id)
        guard isShown else { return nil }
        let build = running.values[place]
        switch event.kind {
        case .stepStarted: return .stepStarted(step, of: build)
        case .stepFinished: return .stepFinished(step, of: build)
        default: return nil
        }
    }

    /// Forgets builds whose end was missed: those whose requests have no running build.
    mutating func forgetEnded(running requests: Set<Int>) {
        running.removeAll { !requests.contains($0.value.request) }
    }

    /// Whether a step is running, as far as is known.
    func isRunning(step id: Int) -> Bool {
        running.values.contains { $0.steps.contains { $0.id == id && $0.isRunning } }
    }

    /// The step and build of a log event, or `nil` if the start of the build was missed.
    func step(ofLog event: Event) -> (step: StepView, build: BuildView)? {
        guard let build = event.buildID.flatMap({ running[$0] }),
            let stepID = event.record["stepid"]?.intValue,
            let step = build.steps.last(where: { $0.id == stepID })
        else { return nil }
        return (step, build)
    }
}

extension BuildView {
    /// Applies an event of a step, which is new if it is not known.
    ///
    /// - Returns: The step, and whether the change is shown.
    fileprivate mutating func apply(
        _ event: Event, toStep id: Int
    ) -> (step: StepView, isShown: Bool) {
        // A build runs one step at a time: of those that ran before, the end was missed.
        if event.kind == .stepStarted { steps.removeAll { $0.id != id && $0.isRunning } }
        let index = steps.lastIndex { $0.id == id } ?? steps.endIndex
        if index == steps.endIndex {
            steps.append(
                StepView(
                    id: id, number: event.record["number"]?.intValue ?? index + 1,
                    name: event.text("name")))
        }
        // A step may become hidden when it ends; if its start was shown, its end is shown, too.
        let wasShown = steps[index].isRunning && !steps[index].isHidden
        steps[index].apply(event)
        return (steps[index], wasShown || !steps[index].isHidden)
    }
}

extension StepView {
    fileprivate var isRunning: Bool { startedAt != nil && results == nil }

    fileprivate mutating func apply(_ event: Event) {
        stateString = event.text("state_string")
        isHidden = event.record["hidden"]?.boolValue ?? false
        switch event.kind {
        case .stepStarted:
            startedAt = event.at
        case .stepFinished:
            completeAt = event.at
            results = event.results
        default:
            break
        }
    }
}

extension Event {
    fileprivate func text(_ key: String) -> String { record[key]?.stringValue ?? "" }
}

/// Progress of a build to show to users.
enum BuildProgress: Sendable, Hashable {
    case buildStarted(BuildView)
    case buildFinished(BuildView)
    case stepStarted(StepView, of: BuildView)
    case stepFinished(StepView, of: BuildView)
    case output([LogLine], StepView, of: BuildView)
}

extension BuildProgress {
    /// Formats the progress, with two spaces between parts.
    func lines(_ paint: TextPainter) -> [String] {
        switch self {
        case .buildStarted(let build):
            [Self.joined([build.title, "started"])]
        case .buildFinished(let build):
            [
                Self.joined(
                    [build.title] + Self.end(build.results, build.duration, build.remark, paint))
            ]
        case .stepStarted(let step, let build):
            [Self.joined([build.title, step.title, "started"])]
        case .stepFinished(let step, let build):
            [
                Self.joined(
                    [build.title, step.title]
                        + Self.end(step.results, step.duration, step.remark, paint))
            ]
        case .output(let lines, let step, let build):
            lines.map {
                paint(.dim, Self.joined([build.title, step.title, "|"])) + " " + $0.shown(paint)
            }
        }
    }

    private static func joined(_ parts: [String?]) -> String {
        parts.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "  ")
    }

    private static func end(
        _ results: Results?, _ duration: Duration?, _ remark: String, _ paint: TextPainter
    ) -> [String?] {
        [paint(TextStyle(results), Results.text(results)), duration?.forPeople, remark]
    }
}

extension StepView {
    /// The name of the step in a line, such as `2 compile`.
    fileprivate var title: String { "\(number) \(name.makingControlsVisible())" }
}
