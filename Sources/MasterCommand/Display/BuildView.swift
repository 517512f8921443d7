internal import FoundationEssentials
internal import MasterKit

/// What displays and tables show of a build.
struct BuildView: Sendable, Hashable {
    /// The row of the build in the store.
    let id: Int
    /// The builder's name.
    let builder: String
    /// The number within its builder.
    let number: Int
    /// When it started.
    let startedAt: Date
    /// When it finished; `nil` while it runs.
    var completeAt: Date?
    /// Its outcome; `nil` while it runs.
    var results: Results?
    /// What it does or how it went, in words.
    var stateString = ""
    /// Its steps in order, hidden ones among them.
    var steps: [StepView] = []

    /// How people name the build, such as `default #3`.
    var title: String { "\(builder.makingControlsVisible()) #\(number)" }

    /// How long it took; `nil` while it runs.
    var duration: Duration? { completeAt.map { .seconds($0.timeIntervalSince(startedAt)) } }

    /// The state in words, unless it only says the result again.
    var remark: String { StepView.remark(stateString, results) }

    /// The steps that displays show.
    var visibleSteps: [StepView] { steps.filter { !$0.isHidden } }
}

/// What displays and tables show of a step.
struct StepView: Sendable, Hashable {
    /// The row of the step in the store.
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
    /// What it does or how it went, in words.
    var stateString = ""
    /// Whether it is left out of displays.
    var isHidden = false

    /// How long it took; `nil` while it runs and when it never ran.
    var duration: Duration? {
        guard let startedAt, let completeAt else { return nil }
        return .seconds(completeAt.timeIntervalSince(startedAt))
    }

    /// The state in words, unless it only says the result again.
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

/// One line of a log, without the mark of its channel.
struct LogLine: Sendable, Hashable {
    /// Which kind of line it is; `nil` for one without a mark.
    let channel: LogChannel?
    /// The text.
    let text: String

    /// Reads a line that begins with the mark of its channel.
    init(marked bytes: some Collection<UInt8>) {
        channel = bytes.first.flatMap { LogChannel(rawValue: $0) }
        let text = String(decoding: bytes.dropFirst(channel == nil ? 0 : 1), as: UTF8.self)
        self.text = text.last == "\r" ? String(text.dropLast()) : text
    }

    /// Reads the lines of a piece of a log; the end of the last one may be missing.
    static func lines(marked bytes: some Collection<UInt8>) -> [LogLine] {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { LogLine(marked: $0) }
    }

    /// The text as it is shown; what the master itself says stands back.
    func shown(_ paint: TextPainter) -> String {
        let text = text.makingControlsVisible(keepingTabs: true)
        return channel == .header ? paint(.dim, text) : text
    }
}
