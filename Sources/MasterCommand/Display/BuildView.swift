internal import FoundationEssentials
internal import MasterKit

/// A build as shown in displays and tables.
struct BuildView: Sendable, Hashable {
    /// The ID of the build in the store.
    let id: Int
    let builder: String
    /// The number within its builder.
    let number: Int
    /// When it started.
    let startedAt: Date
    /// When it finished, or `nil` if it is still running.
    var completeAt: Date?
    /// Its result, or `nil` if it is still running.
    var results: Results?
    var stateString = ""
    /// Its steps in order, including hidden ones.
    var steps: [StepView] = []

    /// The name of the build, such as `default #3`.
    var title: String { "\(builder.makingControlsVisible()) #\(number)" }

    /// How long it took, or `nil` if it is still running.
    var duration: Duration? { completeAt.map { .seconds($0.timeIntervalSince(startedAt)) } }

    /// The state string, unless it only repeats the result.
    var remark: String { StepView.remark(stateString, results) }

    /// The steps that are not hidden.
    var visibleSteps: [StepView] { steps.filter { !$0.isHidden } }

    /// The links of the visible steps, one per line.
    var links: [String] {
        visibleSteps.flatMap { step in
            step.urls.map { link in
                "\(title)  \(step.name.makingControlsVisible())  "
                    + "\(link.name.makingControlsVisible()): \(link.url.makingControlsVisible())"
            }
        }
    }
}

/// A step as shown in displays and tables.
struct StepView: Sendable, Hashable {
    /// The ID of the step in the store.
    let id: Int
    /// The position in the build, starting at 1.
    let number: Int
    /// The name.
    let name: String
    /// When it started, or `nil` if it is pending.
    var startedAt: Date?
    /// When it finished, or `nil` if it has not.
    var completeAt: Date?
    /// Its result, or `nil` if it has not finished.
    var results: Results?
    var stateString = ""
    var isHidden = false
    var urls: [StepURL] = []

    /// How long it took, or `nil` if it has not finished or never ran.
    var duration: Duration? {
        guard let startedAt, let completeAt else { return nil }
        return .seconds(completeAt.timeIntervalSince(startedAt))
    }

    /// The state string, unless it only repeats the result.
    var remark: String { Self.remark(stateString, results) }
}

extension BuildView {
    init(_ build: Build, builder: String, steps: [StepRecord]) {
        self.init(
            id: build.id, builder: builder, number: build.number, startedAt: build.startedAt,
            completeAt: build.completeAt, results: build.results,
            stateString: build.stateString, steps: steps.map { StepView($0) })
    }
}

extension StepView {
    init(_ step: StepRecord) {
        self.init(
            id: step.id, number: step.number, name: step.name, startedAt: step.startedAt,
            completeAt: step.completeAt, results: step.results,
            stateString: step.stateString, isHidden: step.isHidden, urls: step.urls)
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
    /// The channel, or `nil` if the line has none.
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

    /// The text for display: in the program's colors, with the master's own lines dimmed.
    func shown(_ paint: TextPainter) -> String {
        guard channel != .header else {
            return paint(.dim, text.makingControlsVisible(keepingTabs: true))
        }
        var colours = ""
        let shown = ANSIText(text, keepsColours: paint.hasColour, &colours)
            .shown(onTerminal: true)
        return colours.isEmpty ? shown : shown + ANSIText.reset
    }
}

/// Formats builds as trees: a line for the build, and one per step below it.
struct BuildTree: Sendable {
    let paint: TextPainter
    let marks: StatusSymbols

    private static let indentation = "  "
    private static let longestName = 32
    /// Narrower terminals do not show times.
    private static let narrow = 20

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The lines of one build.
    ///
    /// - Parameters:
    ///   - build: The build.
    ///   - width: The maximum width of a line.
    ///   - now: The current time, for running times.
    /// - Returns: The line of the build and those of its visible steps.
    func lines(_ build: BuildView, width: Int, now: Date) -> [String] {
        let steps = build.visibleSteps
        let nameWidth = min(
            Self.longestName, steps.map { $0.name.makingControlsVisible().columns }.max() ?? 0)
        let head = line(
            mark: marks(build.results), style: TextStyle(build.results), name: build.title,
            nameStyle: .bold, nameWidth: build.title.columns, remark: build.remark,
            time: build.duration ?? .seconds(now.timeIntervalSince(build.startedAt)),
            width: width)
        return [head]
            + steps.map { step in
                Self.indentation
                    + line(
                        mark: step.startedAt == nil && step.results == nil
                            ? marks.pending : marks(step.results),
                        style: TextStyle(step.results), name: step.name.makingControlsVisible(),
                        nameStyle: nil, nameWidth: nameWidth, remark: step.remark,
                        time: step.duration
                            ?? step.startedAt.map { .seconds(now.timeIntervalSince($0)) },
                        width: width - Self.indentation.count)
            }
    }

    /// The lines of several running builds, at most `rows`.
    ///
    /// If there is not enough room, finished steps are omitted first, then whole builds.
    func lines(_ builds: some Collection<BuildView>, width: Int, rows: Int, now: Date) -> [String] {
        let whole = builds.map { lines($0, width: width, now: now) }
        guard whole.reduce(0, { $0 + $1.count }) > rows else { return whole.flatMap(\.self) }
        let short = builds.flatMap { build in
            var build = build
            build.steps = build.visibleSteps.filter { $0.results == nil && $0.startedAt != nil }
            return lines(build, width: width, now: now)
        }
        guard short.count > rows else { return short }
        let shown = short.prefix(max(0, rows - 1))
        let left = short.count - shown.count
        return shown + ["\(marks.ellipsis) \(left) more lines".cut(to: width)]
    }

    private func line(
        mark: String, style: TextStyle, name: String, nameStyle: TextStyle?, nameWidth: Int,
        remark: String, time: Duration?, width: Int
    ) -> String {
        let time = width < Self.narrow ? "" : time?.forPeople ?? ""
        let room = max(0, width - mark.columns - 1 - time.columns - 1)
        let name = name.fitted(to: min(nameWidth, room), ellipsis: marks.ellipsis)
        let rest = max(0, room - name.columns)
        let remark = ("  " + remark).fitted(to: rest, ellipsis: marks.ellipsis)
        let painted = nameStyle.map { paint($0, name) } ?? name
        return paint(style, mark) + " " + painted + remark + " " + paint(.dim, time)
    }
}
