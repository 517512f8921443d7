import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct FileDownloadTests {
    @Test func `a file of the master comes to the worker`() async throws {
        try await StepFolder.with { folder in
            try folder.write("content", to: "conf/a.txt")
            let (results, harness) = try await folder.run(
                FileDownload.self, "{mastersrc: conf/a.txt, workerdest: in/a.txt, mode: 0600}")
            #expect(results == .success)
            #expect(harness.summary == "downloaded conf/a.txt")
            #expect(try folder.read("work/build/in/a.txt") == "content")
            #expect(try folder.permissions(of: "work/build/in/a.txt") == 0o600)
        }
    }

    @Test(arguments: ["../a", "FOLDER/a", "link/a"])
    func `nothing is written outside of the folder of the step`(_ path: String) async throws {
        try await StepFolder.with { folder in
            try folder.write("content", to: "conf")
            try folder.link("work/build/link", to: folder.path)
            let (results, _) = try await folder.run(
                FileDownload.self, "{mastersrc: conf, workerdest: '\(path)'}")
            #expect(results == .failure)
            #expect(!folder.has("a"))
            let meant = try await folder.run(
                FileDownload.self, "{mastersrc: conf, workerdest: '\(path)', outside: true}")
            #expect(meant.results == .success)
        }
    }

    @Test func `a file that is not there is a failure that names it`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                FileDownload.self, "{mastersrc: none, workerdest: a}")
            #expect(results == .failure)
            #expect(harness.summary == "no file none")
        }
    }
}
