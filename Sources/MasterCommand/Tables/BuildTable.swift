internal import MasterKit

/// The finished builds as a table: a line for each build, and one for each of its steps.
struct BuildTable {
    /// Gives colours.
    let paint: TextPainter
    /// Gives marks.
    let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The lines of the table.
    func lines(_ builds: [BuildView], width: Int) -> [String] {
        var table = TextTable(paint: paint)
        for build in builds {
            table.add([
                .init("\(marks(build.results)) \(build.title)", .bold),
                .init(Results.text(build.results), TextStyle(build.results)),
                .init(build.duration?.forPeople ?? "", .dim),
                .init(build.remark),
            ])
            for step in build.visibleSteps {
                table.add([
                    .init("  \(marks(step.results)) \(step.name.makingControlsVisible())"),
                    .init(Results.text(step.results), TextStyle(step.results)),
                    .init(step.duration?.forPeople ?? "", .dim),
                    .init(step.remark),
                ])
            }
        }
        return table.lines(width: width, ellipsis: marks.ellipsis)
    }
}
