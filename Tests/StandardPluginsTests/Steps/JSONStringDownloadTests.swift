import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct JSONStringDownloadTests {
    @Test func `a value is written as JSON`() async throws {
        try await StepFolder.with { folder in
            let (results, _) = try await folder.run(
                JSONStringDownload.self, "{o: {a: [1, !Property p], b: null}, workerdest: a.json}",
                properties: ["p": "x"])
            #expect(results == .success)
            #expect(try folder.read("work/build/a.json") == #"{"a":[1,"x"],"b":null}"#)
        }
    }
}
