import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct SetPropertiesFromJSONTests {
    @Test func `properties come from what a command prints`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                SetPropertiesFromJSON.self,
                #"{command: 'echo "{\"a\": 1.10, \"b\": [true]}"; echo note >&2'}"#)
            #expect(results == .success)
            #expect(harness.properties["a"]?.numberValue?.spelling == "1.10")
            #expect(harness.properties["b"] == [true])
            #expect(harness.summary == "2 properties set")
        }
    }

    @Test func `properties come from a file, and only those that are wanted`() async throws {
        try await StepFolder.with { folder in
            try folder.write(#"{"a": 1, "b": 2, "c": 3}"#, to: "work/build/p.json")
            let (results, harness) = try await folder.run(
                SetPropertiesFromJSON.self, "{file: p.json, properties: [a, c]}")
            #expect(results == .success)
            #expect(harness.properties["a"] == 1)
            #expect(harness.properties["b"] == nil)
            #expect(harness.properties["c"] == 3)
        }
    }

    @Test(arguments: [
        ("{command: 'echo x'}", "the output is not JSON"),
        ("{command: 'echo [1]'}", "the output is not a JSON object"),
        ("{command: 'echo {}', properties: [a, b]}", "the output has no 'a', 'b'"),
        ("{command: 'exit 4'}", "'exit 4': exit 4"),
        ("{command: 'head -c 2000000 /dev/zero'}", "the command printed more than 1048576 bytes"),
        (
            "{file: none.json}",
            "the file FOLDER/none.json cannot be read (No such file or directory)"
        ),
    ])
    func `what is not right is a failure that says so`(_ yaml: String, _ text: String) async throws
    {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(SetPropertiesFromJSON.self, yaml)
            #expect(results == .failure)
            #expect(harness.summary == text.replacing("FOLDER", with: folder.workdir))
        }
    }
}
