internal import FoundationEssentials
internal import MasterKit

/// Draws builds as trees: a line for the build, and one for each step below it.
struct BuildTree: Sendable {
    let paint: TextPainter
    let marks: StatusSymbols

    private static let indentation = "  "
    private static let longestName = 32
    /// Terminals with fewer columns do not show times.
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
    /// If there is not enough room, finished steps are left out first, then whole builds.
    func lines(
        _ builds: some Collection<BuildView>, width: Int, rows: Int, now: Date
    ) -> [String] {
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
