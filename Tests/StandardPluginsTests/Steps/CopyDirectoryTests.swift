import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct CopyDirectoryTests {
    @Test func `a folder is copied in place of what is there`() async throws {
        try await StepFolder.with { folder in
            try folder.write("new", to: "source/f")
            try folder.write("old", to: "work/build/copy/old")
            let (results, harness) = try await folder.run(
                CopyDirectory.self, "{src: FOLDER/source, dest: copy}")
            #expect(results == .success)
            #expect(harness.summary == "copied \(folder.path)/source to copy")
            #expect(try folder.read("work/build/copy/f") == "new")
            #expect(!folder.has("work/build/copy/old"))
        }
    }

    @Test(arguments: ["../../x", "FOLDER/x", "link/x", "..", "FOLDER"])
    func `nothing is overwritten outside of the folder of builds`(_ path: String) async throws {
        try await StepFolder.with { folder in
            try folder.write("x", to: "work/build/source/f")
            try folder.write("keep", to: "x/f")
            try folder.link("work/build/link", to: folder.path)
            let (results, harness) = try await folder.run(
                CopyDirectory.self, "{src: source, dest: '\(path)'}")
            #expect(results == .failure)
            #expect(harness.summary?.hasSuffix("not overwritten") == true)
            #expect(try folder.read("x/f") == "keep")
        }
    }

    @Test func `a folder that is not there is a failure that names it`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                CopyDirectory.self, "{src: none, dest: copy}")
            #expect(results == .failure)
            #expect(harness.summary?.contains("\(folder.workdir)/none cannot be copied") == true)
        }
    }
}
