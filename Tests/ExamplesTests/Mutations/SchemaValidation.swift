import FoundationEssentials
import MasterKit
import Subprocess
import Testing

/// Validates values with the JSON Schema that a program prints, by Python's jsonschema.
struct SchemaValidation {
    private static let script = """
        import json, sys, jsonschema
        schema = json.load(open("schema.json"))
        jsonschema.Draft7Validator.check_schema(schema)
        jsonschema.Draft202012Validator.check_schema(schema)
        if sys.argv[2] == "marked":
            schema["definitions"]["expression"] = {"type": "object", "required": ["!"]}
        draft = {"7": jsonschema.Draft7Validator, "2020": jsonschema.Draft202012Validator}
        validator = draft[sys.argv[1]](schema)
        for line in open("instances.json"):
            print("valid" if validator.is_valid(json.loads(line)) else "invalid")
        """

    /// Whether each of some values is valid.
    ///
    /// - Parameters:
    ///   - values: The values.
    ///   - program: The program with the plugins.
    ///   - draft: The version of JSON Schema: 7 or 2020.
    ///   - hasMarks: Whether computed values are marked, see ``YAMLNode/schemaInstance(marksTags:)``.
    /// - Returns: A verdict for each value.
    /// - Throws: If Python or the program fails.
    static func isEachValid(
        _ values: [JSONValue], program: BuiltProgram, draft: String = "2020",
        hasMarks: Bool = false
    ) async throws -> [Bool] {
        try await TemporaryFolder.with { folder in
            let schema = try await program.run(["schema"], in: folder.path)
            #expect(schema.status == 0, "\(schema.error)")
            try folder.write(schema.output, to: "schema.json")
            let lines = values.map { JSONWriter.compact.string($0) + "\n" }
            try folder.write(lines.joined(), to: "instances.json")
            let ended = try await BuiltProgram.run(
                .name("python3"), ["-c", script, draft, hasMarks ? "marked" : ""], in: folder.path)
            let words = ended.output.split(separator: "\n")
            try #require(words.count == values.count, "\(ended.error)")
            return words.map { $0 == "valid" }
        }
    }
}
