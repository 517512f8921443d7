internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// A build as shown in displays and tables.
struct BuildView: Sendable, Hashable {
    /// The ID of the build in the store.
    let id: Int
    /// The ID of its request.
    let request: Int
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
    /// Whether its result does not count.
    var isUnimportant = false
    /// Its steps in order, including hidden ones.
    var steps: [StepView] = []

    /// The name of the build, such as `default #3`.
    var title: String { "\(builder.makingControlsVisible()) #\(number)" }

    /// How long it took, or `nil` if it is still running.
    var duration: Duration? { completeAt.map { .seconds($0.timeIntervalSince(startedAt)) } }

    /// The state string without what only repeats the result.
    var remark: String {
        stateString == "build successful" ? "" : StepView.remark(stateString, results)
    }

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

    /// The steps whose logs tell why the build failed.
    var failedSteps: [StepView] {
        steps.filter { $0.results == .failure || $0.results == .exception }
    }

    /// The finished steps that need attention.
    var notableSteps: [StepView] {
        steps.filter { step in
            guard let results = step.results else { return false }
            return results.isFailure || !step.isHidden && results == .warnings
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

    /// The state string without what only repeats the result.
    var remark: String { Self.remark(stateString, results) }
}

extension Results {
    /// Whether a step or build with this result did not do its work.
    var isFailure: Bool {
        switch self {
        case .failure, .exception, .retry, .cancelled: true
        case .success, .warnings, .skipped: false
        }
    }
}

extension BuildView {
    init(_ build: Build, builder: String, steps: [StepRecord]) {
        self.init(
            id: build.id, request: build.requestID, builder: builder, number: build.number,
            startedAt: build.startedAt,
            completeAt: build.completeAt, results: build.results,
            stateString: build.completeAt == nil ? "" : build.stateString,
            steps: steps.map { StepView($0) })
    }
}

extension BuildView {
    init(_ finished: FinishedBuild) {
        self.init(finished.build, builder: finished.builder, steps: finished.steps)
        isUnimportant = finished.isUnimportant
    }
}

extension Sequence<BuildView> {
    /// The worst result of those builds whose results count, or `nil` if there are none.
    var worstResults: Results? {
        filter { !$0.isUnimportant }.map(\.results).reduce(nil, Results.worst)
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
        guard let name = results?.name else { return text == "running" ? "" : text }
        if text == name { return "" }
        if text == "finished (\(name))" { return "" }
        let rest = text.hasPrefix("\(name): ") ? text.dropFirst(name.count + 2) : text[...]
        return String(rest).replacing(" (\(name))", with: "")
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
        return TerminalText.shown(text, keepsColours: paint.hasColour)
    }
}

/// Formats the builds of a run for a terminal while they run: a line for a finished build, and for
/// a running one its running steps with the last lines of their output.
struct BuildTree: Sendable {
    let paint: TextPainter
    let marks: StatusSymbols

    /// The builds to show.
    struct Content: Sendable {
        /// The finished builds, in the order they ended.
        var finished: [BuildView] = []
        /// The number of successful builds that are no longer in `finished`.
        var succeededCount = 0
        var running: [BuildView] = []
        /// What else is to be built.
        var activity = BuildActivity()
        /// The last lines of output of running steps, by the ID of the step.
        var output: [Int: [String]] = [:]
        /// How long builds usually take, by builder.
        var usual: [String: UsualTimes] = [:]
    }

    private static let longestName = 32
    /// The number of lines of output shown of a step.
    static let outputCount = 3
    /// The number of builders shown that wait.
    static let waitingCount = 5
    /// Narrower terminals do not show how long something usually takes.
    private static let narrow = 60

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The lines of the tree, at most `rows`, none wider than `width`.
    ///
    /// If there is not enough room, successful builds become one line, as do those that wait, and
    /// lines of output are omitted.
    func lines(_ content: Content, width: Int, rows: Int, now: Date) -> [String] {
        func running(_ count: Int) -> [String] {
            content.running.flatMap { build in
                self.lines(build, content, output: count, width: width, now: now)
            }
        }
        let whole =
            finished(content, width: width, isShort: false) + running(Self.outputCount)
            + waiting(content.activity, width: width, isShort: false)
        if whole.count <= rows { return whole }
        let head = finished(content, width: width, isShort: true)
        let end = waiting(content.activity, width: width, isShort: true)
        for count in (0...Self.outputCount).reversed() {
            let lines = head + running(count) + end
            if lines.count <= rows { return lines }
        }
        let lines = head + running(0) + end
        let shown = lines.prefix(max(0, rows - 1))
        return shown + ["\(marks.ellipsis) \(lines.count - shown.count) more lines".cut(to: width)]
    }

    private func finished(_ content: Content, width: Int, isShort: Bool) -> [String] {
        let builds = content.finished.filter { !isShort || $0.results != .success }
        let count = content.succeededCount + content.finished.count - builds.count
        let short =
            count == 0
            ? []
            : [
                row(
                    mark: .success, "\(count.counting("build")) succeeded", nameWidth: 0, time: nil,
                    remark: "", width: width)
            ]
        let nameWidth = nameWidth(of: builds.map(\.title), width)
        return short
            + builds.map { build in
                let steps = build.notableSteps.map { step in
                    [step.name.makingControlsVisible(), step.remark].filter { !$0.isEmpty }
                        .joined(separator: ": ")
                }
                return row(
                    mark: build.results, build.title, nameWidth: nameWidth,
                    time: build.duration?.forPeople, remark: steps.first ?? build.remark,
                    width: width)
            }
    }

    /// The builders whose builds have not begun, each with what it waits for.
    private func waiting(_ activity: BuildActivity, width: Int, isShort: Bool) -> [String] {
        let shown = isShort ? [] : activity.waiting.prefix(Self.waitingCount)
        var lines = shown.map { waiting in
            self.waiting(
                waiting.builder.makingControlsVisible(),
                "waits for \(waiting.reason.makingControlsVisible())", width)
        }
        let rest = activity.waitingCount - shown.count
        if rest > 0 {
            let text = shown.isEmpty ? rest.counting("build") : "\(rest) more"
            lines.append(self.waiting(text, rest == 1 ? "waits" : "wait", width))
        }
        return lines
    }

    private func waiting(_ name: String, _ remark: String, _ width: Int) -> String {
        let room = max(0, width - marks.pending.columns - 1)
        let shown = name.cut(to: room, ellipsis: marks.ellipsis)
        let rest = room - shown.columns - 2
        let end = rest < 4 ? "" : "  " + remark.cut(to: rest, ellipsis: marks.ellipsis)
        return paint(.dim, marks.pending + " " + shown + end)
    }

    private func lines(
        _ build: BuildView, _ content: Content, output count: Int, width: Int, now: Date
    ) -> [String] {
        let usual = content.usual[build.builder]
        let steps = build.visibleSteps.filter { $0.results == nil && $0.startedAt != nil }
        let doneCount = build.visibleSteps.count { $0.results != nil }
        let head = row(
            mark: nil, build.title, nameWidth: 0, style: .bold,
            time: time(since: build.startedAt, usual: usual?.build, now, width),
            remark: doneCount == 0 ? "" : "\(doneCount.counting("step")) done", width: width)
        let bad = build.notableSteps.filter { step in !steps.contains { $0.id == step.id } }
        let shown = bad + steps
        let nameWidth = nameWidth(of: shown.map(\.name), width)
        return [head]
            + shown.flatMap { step -> [String] in
                let time =
                    step.duration?.forPeople
                    ?? step.startedAt.map {
                        self.time(since: $0, usual: usual?.steps[step.name], now, width)
                    }
                let line = row(
                    indentation: "  ", mark: step.results, step.name.makingControlsVisible(),
                    nameWidth: nameWidth, time: time, remark: step.remark, width: width)
                let output = step.results == nil ? content.output[step.id] ?? [] : []
                return [line]
                    + output.suffix(count).map { text in
                        let line = text.cut(to: max(0, width - 6), ellipsis: marks.ellipsis)
                        return paint(.dim, "    | " + line)
                    }
            }
    }

    /// The time elapsed, with the usual time unless the terminal is narrow.
    private func time(since start: Date, usual: Duration?, _ now: Date, _ width: Int) -> String {
        let elapsed = Duration.seconds(now.timeIntervalSince(start))
        guard let usual, usual >= .seconds(1), width >= Self.narrow else {
            return elapsed.forPeople
        }
        return elapsed < usual
            ? "\(elapsed.forPeople) of about \(usual.forPeople)"
            : "\(elapsed.forPeople), usually \(usual.forPeople)"
    }

    private func nameWidth(of names: [String], _ width: Int) -> Int {
        let widest = names.map { $0.makingControlsVisible().columns }.max() ?? 0
        return min(widest, Self.longestName)
    }

    /// A row: mark, name, time, remark. The name is truncated before the time, the remark before
    /// the name.
    private func row(
        indentation: String = "", mark: Results?, _ name: String, nameWidth: Int,
        style: TextStyle? = nil, time: String?, remark: String, width: Int
    ) -> String {
        let symbol = marks(mark)
        let time = time.map { "  " + $0 } ?? ""
        let room = max(0, width - indentation.columns - symbol.columns - 1)
        let nameRoom = max(min(room, 8), room - time.columns)
        let name = name.cut(to: nameRoom, ellipsis: marks.ellipsis)
            .fitted(to: min(max(nameWidth, 0), nameRoom), orWider: true)
        let shownTime = name.columns + time.columns <= room ? time : ""
        let rest = room - name.columns - shownTime.columns
        let shownRemark =
            remark.isEmpty || rest < 4
            ? "" : "  " + remark.cutInMiddle(to: rest - 2, ellipsis: marks.ellipsis)
        return indentation + paint(TextStyle(mark), symbol) + " "
            + (style.map { paint($0, name) } ?? name) + paint(.dim, shownTime) + shownRemark
    }
}

extension String {
    /// The text padded with spaces to a width, unless it is wider.
    fileprivate func fitted(to width: Int, orWider: Bool) -> String {
        columns >= width ? self : fitted(to: width)
    }
}
