import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct MakeDirectoryTests {
    @Test func `a folder is made with those above it, and may be there`() async throws {
        try await StepFolder.with { folder in
            for _ in 1...2 {
                let (results, harness) = try await folder.run(MakeDirectory.self, "a/b")
                #expect(results == .success)
                #expect(harness.summaries == ["making a/b", "made a/b"])
                #expect(harness.logs.isEmpty)
            }
            #expect(folder.has("work/build/a/b"))
        }
    }

    @Test func `a folder that can't be made is a failure with its reason`() async throws {
        try await StepFolder.with { folder in
            try folder.write("x", to: "work/build/file")
            let (results, harness) = try await folder.run(MakeDirectory.self, "dir: file/a")
            #expect(results == .failure)
            #expect(
                harness.summary
                    == "the folder \(folder.workdir)/file/a cannot be created (Not a directory)")
            #expect(harness.log("stdio")?.lines.first?.hasPrefix("ethe folder") == true)
        }
    }
}
