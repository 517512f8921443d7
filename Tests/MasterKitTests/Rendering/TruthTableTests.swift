import MasterKit
import Testing

/// Buildbot's truth tables, row by row, for every selector that can have such values; but the text
/// `false` is false.
struct TruthTableTests {
    /// The result of a modifier for each kind of value; `V` stands for the value's text.
    struct Row: Sendable, CustomTestStringConvertible {
        let modifier: String
        let missing: String
        let null: String
        let isFalse: String
        let isTrue: String

        var testDescription: String { modifier.isEmpty ? "none" : modifier }
    }

    /// A value and its text when interpolated.
    struct Column: Sendable, CustomTestStringConvertible {
        let yaml: String
        let text: String
        var isTrue = false

        var testDescription: String { yaml }
    }

    static let rows = [
        Row(modifier: "", missing: "", null: "", isFalse: "V", isTrue: "V"),
        Row(modifier: ":-D", missing: "D", null: "", isFalse: "V", isTrue: "V"),
        Row(modifier: ":-", missing: "", null: "", isFalse: "V", isTrue: "V"),
        Row(modifier: ":~D", missing: "D", null: "D", isFalse: "D", isTrue: "V"),
        Row(modifier: ":~", missing: "", null: "", isFalse: "", isTrue: "V"),
        Row(modifier: ":+D", missing: "", null: "D", isFalse: "D", isTrue: "D"),
        Row(modifier: ":+", missing: "", null: "", isFalse: "", isTrue: ""),
        Row(modifier: ":?|T|F", missing: "F", null: "T", isFalse: "T", isTrue: "T"),
        Row(modifier: ":#?|T|F", missing: "F", null: "F", isFalse: "F", isTrue: "T"),
        Row(modifier: ":?,T,F,G", missing: "F,G", null: "T", isFalse: "T", isTrue: "T"),
    ]

    static let columns = [
        Column(yaml: "''", text: ""), Column(yaml: "0", text: "0"),
        Column(yaml: "0.0", text: "0.0"),
        Column(yaml: "false", text: "false"), Column(yaml: "[]", text: "[]"),
        Column(yaml: "{}", text: "{}"), Column(yaml: "'false'", text: "false"),
        Column(yaml: "text", text: "text", isTrue: true),
        Column(yaml: "' '", text: " ", isTrue: true), Column(yaml: "'0'", text: "0", isTrue: true),
        Column(yaml: "1", text: "1", isTrue: true),
        Column(yaml: "-1.50", text: "-1.50", isTrue: true),
        Column(yaml: "true", text: "true", isTrue: true),
        Column(yaml: "[a, null, true, 1]", text: #"["a",null,true,1]"#, isTrue: true),
        Column(yaml: "{a: [b]}", text: #"{"a":["b"]}"#, isTrue: true),
        Column(yaml: "'%(prop:x)s %'", text: "%(prop:x)s %", isTrue: true),
    ]

    private func render(_ yaml: String, given value: JSONValue? = nil) throws -> String? {
        var context = RenderContext()
        if let value {
            context.properties.set("x", value, source: "test")
            context.worker = ["x": value]
        }
        return try Reading<Renderable<String>>.rendered(yaml, in: context)
    }

    @Test(arguments: rows, columns)
    func `a value that is there`(row: Row, column: Column) throws {
        let value = try #require(try rendered(column.yaml))
        let expected =
            (column.isTrue ? row.isTrue : row.isFalse) == "V"
            ? column.text : column.isTrue ? row.isTrue : row.isFalse
        for selector in ["prop", "worker"] {
            let yaml = "!Interpolate '%(\(selector):x\(row.modifier))s'"
            #expect(try render(yaml, given: value) == expected, "\(selector)")
        }
        let keyword = "!Interpolate ['%(kw:x\(row.modifier))s', {x: \(column.yaml)}]"
        #expect(try render(keyword) == expected)
        let computed = "!Interpolate ['%(kw:x\(row.modifier))s', {x: !Property x}]"
        #expect(try render(computed, given: value) == expected)
    }

    @Test(arguments: rows)
    func `a value that is null`(row: Row) throws {
        for selector in ["prop", "worker"] {
            let yaml = "!Interpolate '%(\(selector):x\(row.modifier))s'"
            #expect(try render(yaml, given: .null) == row.null, "\(selector)")
        }
        let keyword = "!Interpolate ['%(kw:x\(row.modifier))s', {x: null}]"
        #expect(try render(keyword) == row.null)
    }

    @Test(arguments: rows)
    func `a value that is missing`(row: Row) throws {
        for selector in ["prop", "worker"] {
            let yaml = "!Interpolate '%(\(selector):x\(row.modifier))s'"
            #expect(try render(yaml) == row.missing, "\(selector)")
        }
        guard !row.modifier.isEmpty else { return }
        #expect(try render("!Interpolate '%(kw:x\(row.modifier))s'") == row.missing)
    }

    @Test(arguments: rows)
    func `attributes of a source`(row: Row) throws {
        let context = RenderContext(sourceStamps: [
            SourceStamp(branch: "dev"), SourceStamp(branch: "next", codebase: "lib"),
        ])
        func render(_ reference: String) throws -> String? {
            try Reading<Renderable<String>>.rendered(
                "!Interpolate '%(src:\(reference)\(row.modifier))s'", in: context)
        }
        func text(_ value: String, in expected: String) -> String {
            expected == "V" ? value : expected
        }
        #expect(try render(":branch") == text("dev", in: row.isTrue))
        #expect(try render("lib:branch") == text("next", in: row.isTrue))
        #expect(try render("lib:codebase") == text("lib", in: row.isTrue))
        #expect(try render(":project") == text("", in: row.isFalse))
        #expect(try render(":revision") == row.null)
        #expect(try render("other:branch") == row.missing)
        #expect(try render(":weather") == row.missing)
    }

    @Test(arguments: columns)
    func `a default of !Property`(column: Column) throws {
        let value = try #require(try rendered(column.yaml))
        var context = RenderContext()
        context.properties.set("x", value, source: "test")
        let byDefault = try rendered("!Property {key: x, default: D}", in: context)
        #expect(byDefault == (column.isTrue ? value : "D"))
        let whenMissing = "!Property {key: x, default: D, defaultWhenFalse: false}"
        #expect(try rendered(whenMissing, in: context) == value)
        #expect(try rendered(whenMissing, in: RenderContext()) == "D")
        #expect(try rendered("!Property x", in: context) == value)
    }
}
