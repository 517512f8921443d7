import Testing

/// Deeply nested files are processed on threads that may have a small stack.
@Suite(.timeLimit(.minutes(3)))
struct SmallStackTests {
    private static func nested(
        _ opening: String, _ inner: String, _ closing: String, _ count: Int
    ) -> String {
        String(repeating: opening, count: count) + inner + String(repeating: closing, count: count)
    }

    private static let values: [String] = [
        nested("[", "1", "]", 190), nested("[", "!Property a", "]", 190),
        nested("{a: ", "!Property a", "}", 190), nested("!Not [", "!Property a", "]", 190),
        nested("!FlattenList [", "!Property a", "]", 90),
        "!Interpolate '" + nested("%(prop:a:-", "x", ")s", 64) + "'",
    ]

    private static let templates: [String] = [
        "{{ " + nested("(", "results", ")", 30) + " }}",
        "{{ " + nested("[", "results", "]", 31) + " }}",
        "{{ buildername" + String(repeating: " | upper", count: 190) + " }}",
        "{{ properties" + String(repeating: ".b", count: 190) + " }}",
        "{{ results" + String(repeating: " or results", count: 190) + " }}",
        "{{ results" + String(repeating: " and results", count: 190) + " }}",
        "{{ " + String(repeating: "not ", count: 31) + "results }}",
        "{{ " + String(repeating: "1 if results else ", count: 31) + "results }}",
        nested(
            "{% if results == 0 %}", "{{ " + nested("[(", "results", ")]", 15) + " }}",
            "{% endif %}", 31),
        nested("{% for a in buildername | split %}", "x", "{% endfor %}", 31),
        nested("{% filter upper %}", "x", "{% endfilter %}", 31),
    ]

    private func run(_ yaml: String) async throws -> Program.Ended {
        try await Program.inFolder(["master.yaml": yaml]) { program in
            try await program.run(
                ["-c", "ulimit -s 512; exec \"$0\" run --quiet", Program.path],
                executable: "/bin/sh"
            ) { _ in }
        }
    }

    @Test(arguments: values)
    func `a deep value is built or refused`(_ value: String) async throws {
        let ended = try await run("steps:\n  - steps.SetProperty: {property: s, value: \(value)}\n")
        #expect(ended.status == 0 || ended.status == 2, "\(ended.error)")
    }

    @Test func `deep templates are rendered`() async throws {
        let steps = Self.templates.map {
            "  - steps.SetProperty: {property: s, value: !Template '\($0)'}\n"
        }
        let ended = try await run("steps:\n" + steps.joined())
        #expect(ended.status == 0, "\(ended.output) \(ended.error)")
    }

    @Test func `a property that nests deeper step by step ends in a sentence`() async throws {
        let step = "  - steps.SetProperty: {property: s, value: [!Property s]}\n"
        let ended = try await run("steps:\n" + String(repeating: step, count: 150))
        #expect(ended.status == 1)
    }

    @Test func `a deep body of a report is refused`() async throws {
        let ended = try await run(
            """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: http://127.0.0.1:1/
                  format: \(Self.nested("[", "{{ results }}", "]", 190))
            steps: [steps.ShellCommand: "true"]
            """)
        #expect(ended.status == 2)
    }
}
