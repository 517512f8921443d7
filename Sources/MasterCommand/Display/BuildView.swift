internal import FoundationEssentials
internal import MasterKit

/// A build as displays and tables show it.
struct BuildView: Sendable, Hashable {
    /// The id of the build in the store.
    let id: Int
    let builder: String
    /// The number within its builder.
    let number: Int
    /// When it started.
    let startedAt: Date
    /// When it finished; `nil` while it runs.
    var completeAt: Date?
    /// Its outcome; `nil` while it runs.
    var results: Results?
    /// Its state in words.
    var stateString = ""
    /// Its steps in order, including hidden ones.
    var steps: [StepView] = []

    /// The name of the build, such as `default #3`.
    var title: String { "\(builder.makingControlsVisible()) #\(number)" }

    /// How long it took; `nil` while it runs.
    var duration: Duration? { completeAt.map { .seconds($0.timeIntervalSince(startedAt)) } }

    /// The state in words, unless it only repeats the result.
    var remark: String { StepView.remark(stateString, results) }

    /// The steps that are not hidden.
    var visibleSteps: [StepView] { steps.filter { !$0.isHidden } }
}

/// A step as displays and tables show it.
struct StepView: Sendable, Hashable {
    /// The id of the step in the store.
    let id: Int
    /// The position in the build, from 1.
    let number: Int
    /// The name.
    let name: String
    /// When it started; `nil` while pending.
    var startedAt: Date?
    /// When it finished.
    var completeAt: Date?
    /// Its outcome; `nil` while it runs.
    var results: Results?
    /// Its state in words.
    var stateString = ""
    var isHidden = false

    /// How long it took; `nil` while it runs and when it never ran.
    var duration: Duration? {
        guard let startedAt, let completeAt else { return nil }
        return .seconds(completeAt.timeIntervalSince(startedAt))
    }

    /// The state in words, unless it only repeats the result.
    var remark: String { Self.remark(stateString, results) }
}

extension BuildView {
    /// A view of records.
    init(_ build: Build, builder: String, steps: [StepRecord]) {
        self.init(
            id: build.id, builder: builder, number: build.number, startedAt: build.startedAt,
            completeAt: build.completeAt, results: build.results,
            stateString: build.stateString, steps: steps.map { StepView($0) })
    }
}

extension StepView {
    /// A view of a record.
    init(_ step: StepRecord) {
        self.init(
            id: step.id, number: step.number, name: step.name, startedAt: step.startedAt,
            completeAt: step.completeAt, results: step.results,
            stateString: step.stateString, isHidden: step.isHidden)
    }
}

extension StepView {
    fileprivate static func remark(_ stateString: String, _ results: Results?) -> String {
        let text = stateString.makingControlsVisible()
        return text == results?.name ? "" : text
    }
}

/// A line of a log without the letter of its channel.
struct LogLine: Sendable, Hashable {
    /// The channel; `nil` for a line without one.
    let channel: LogChannel?
    /// The text.
    let text: String

    /// Parses a line that starts with the letter of its channel.
    init(marked bytes: some Collection<UInt8>) {
        channel = bytes.first.flatMap { LogChannel(rawValue: $0) }
        let text = String(decoding: bytes.dropFirst(channel == nil ? 0 : 1), as: UTF8.self)
        self.text = text.last == "\r" ? String(text.dropLast()) : text
    }

    /// Parses the lines of a piece of a log; the last one may lack its line end.
    static func lines(marked bytes: some Collection<UInt8>) -> [LogLine] {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { LogLine(marked: $0) }
    }

    /// The text as it is shown; the master's own lines are dimmed.
    func shown(_ paint: TextPainter) -> String {
        let text = text.makingControlsVisible(keepingTabs: true)
        return channel == .header ? paint(.dim, text) : text
    }
}
