internal import MasterKit
internal import MasterRuntime

/// A table of the builders in a file: their purpose, and when they run.
struct BuilderList {
    private let paint: TextPainter
    private let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// One line per builder: name, factory, tags, when it runs, description.
    func lines(_ builders: [BuilderConfiguration], width: Int) -> [String] {
        var table = TextTable(paint: paint)
        for builder in builders {
            var conditions = builder.isTriggeredOnly ? ["triggeredOnly"] : []
            if !builder.needs.isEmpty {
                conditions.append("needs \(builder.needs.joined(separator: ", "))")
            }
            let texts = [
                builder.factory.map { "factory \($0)" }
                    ?? builder.steps.count.counting("step"),
                builder.tags.joined(separator: ", "), conditions.joined(separator: "; "),
            ].map { $0.makingControlsVisible() }
            table.add(
                [.init(builder.name.makingControlsVisible(), .bold), .init(texts[0])]
                    + [.init(texts[1], .cyan), .init(texts[2], .yellow)]
                    + [.init(builder.description?.makingControlsVisible() ?? "", .dim)])
        }
        return table.lines(width: width, ellipsis: marks.ellipsis)
    }
}

extension BuilderList {
    /// The builders as JSON.
    static func json(_ builders: [BuilderConfiguration]) -> JSONValue {
        func texts(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        let records = builders.map { builder -> JSONValue in
            [
                "name": .string(builder.name), "description": .optional(builder.description),
                "tags": texts(builder.tags), "factory": .optional(builder.factory),
                "triggeredOnly": .bool(builder.isTriggeredOnly), "needs": texts(builder.needs),
                "steps": .int(builder.steps.count),
            ]
        }
        return ["formatVersion": 1, "builders": .array(records)]
    }
}

/// A step-by-step report of what would run, for `--dry-run`.
struct DryRunReport {
    private let paint: TextPainter
    private let isPartial: Bool
    private let names: [String]

    /// Creates a report on a run of some builders and some of their steps.
    init(_ traits: TerminalTraits, _ steps: StepSelection, among names: [String]) {
        paint = TextPainter(hasColour: traits.hasColour)
        isPartial = !steps.isEverything
        self.names = names
    }

    /// The lines for one builder: its properties, and its steps with their settings.
    func lines(_ preview: BuildPreview) -> [String] {
        let builder = preview.builder
        var facts = [preview.steps.count.counting("step")]
        if isPartial { facts[0] += " of \(builder.steps.count)" }
        let needs = builder.needs.filter { names.contains($0) }
        if !needs.isEmpty { facts.append("after \(needs.joined(separator: ", "))") }
        let title = paint(.bold, builder.name.makingControlsVisible())
        var lines = ["\(title)  \(facts.joined(separator: ", ").makingControlsVisible())"]
        for (name, value) in preview.properties {
            lines += setting(name, value, indentation: "  ").map { paint(.dim, $0) }
        }
        for step in preview.steps { lines += self.lines(step) }
        return lines
    }

    private func lines(_ step: BuildPreview.Step) -> [String] {
        let name = step.name?.makingControlsVisible() ?? "(named by the build)"
        let skipped = step.isSkipped ? "  " + paint(.yellow, "skipped, as doStepIf is false") : ""
        var lines = ["  \(step.number) \(paint(.bold, name))  \(step.key)\(skipped)"]
        guard !step.isSkipped else { return lines }
        for (name, value) in step.settings {
            lines += setting(name, value, indentation: "      ")
        }
        if let workdir = step.workdir {
            lines.append("      in \(workdir.makingControlsVisible())")
        }
        return lines
    }

    /// A setting on one line, or on several if its text has several.
    private func setting(_ name: String, _ value: JSONValue, indentation: String) -> [String] {
        let texts = (value.text ?? "null").lines.map { $0.makingControlsVisible() }
        let head = indentation + name.makingControlsVisible() + ":"
        guard texts.count > 1 else { return ["\(head) \(texts.first ?? "")"] }
        return [head] + texts.map { "\(indentation)  \($0)" }
    }
}
