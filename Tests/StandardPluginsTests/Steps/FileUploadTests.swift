import FoundationEssentials
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct FileUploadTests {
    @Test func `a file comes to the master whole, with its permissions and time`() async throws {
        try await StepFolder.with { folder in
            let text = String(repeating: "0123456789", count: 100_000)
            try folder.write(text, to: "work/build/dist/app")
            try folder.write("old", to: "out/app")
            let (results, harness) = try await folder.run(
                FileUpload.self,
                """
                {workersrc: dist/app, masterdest: out/app, mode: 0750, keepstamp: true,
                 blocksize: 1000}
                """)
            #expect(results == .success)
            #expect(harness.summary == "uploaded dist/app")
            #expect(try folder.read("out/app") == text)
            #expect(try folder.permissions(of: "out/app") == 0o750)
            let times = (try folder.modified("out/app"), try folder.modified("work/build/dist/app"))
            #expect(abs(times.0 - times.1) < 0.001)
            #expect(try folder.names(in: "out") == ["app"])
        }
    }

    @Test func `a file that is not there is a failure that names it`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                FileUpload.self, "{workersrc: dist/app.tar.gz, masterdest: app}")
            #expect(results == .failure)
            #expect(harness.summary == "no file dist/app.tar.gz")
            #expect(!folder.has("app"))
        }
    }

    @Test func `a file that is too large leaves what was there`() async throws {
        try await StepFolder.with { folder in
            try folder.write("12345", to: "work/build/app")
            try folder.write("old", to: "out/app")
            let (results, harness) = try await folder.run(
                FileUpload.self, "{workersrc: app, masterdest: out/app, maxsize: 4}")
            #expect(results == .failure)
            #expect(harness.summary?.contains("more than the 4 bytes") == true)
            #expect(try folder.read("out/app") == "old")
            #expect(try folder.names(in: "out") == ["app"])
        }
    }

    @Test(arguments: ["../app", "/tmp/step-test-outside", "link/app", "out/../../app", "."])
    func `nothing is written outside of the folder of the configuration`(
        _ path: String
    ) async throws {
        try await StepFolder.with { folder in
            try folder.write("12345", to: "work/build/app")
            try folder.link("link", to: "/tmp")
            let (results, harness) = try await folder.run(
                FileUpload.self, "{workersrc: app, masterdest: '\(path)'}")
            #expect(results == .failure)
            #expect(harness.summary?.hasSuffix("and not written") == true)
            #expect(!FileManager.default.fileExists(atPath: "/tmp/app"))
            #expect(!FileManager.default.fileExists(atPath: "/tmp/step-test-outside"))
        }
    }

    @Test func `a link at the destination is replaced, not followed`() async throws {
        try await StepFolder.with { folder in
            try folder.write("new", to: "work/build/app")
            try folder.write("old", to: "other")
            try folder.link("app", to: "other")
            let (results, _) = try await folder.run(
                FileUpload.self, "{workersrc: app, masterdest: app}")
            #expect(results == .success)
            #expect(try folder.read("other") == "old")
            #expect(try folder.read("app") == "new")
        }
    }

    @Test(arguments: ["out", "/proc/none/x"])
    func `a destination that can't be written is a failure`(_ path: String) async throws {
        try await StepFolder.with { folder in
            try folder.write("x", to: "out/f")
            try folder.write("x", to: "work/build/app")
            let (results, harness) = try await folder.run(
                FileUpload.self, "{workersrc: app, masterdest: \(path), outside: true}")
            #expect(results == .failure)
            #expect(harness.summary?.contains("cannot be") == true)
        }
    }
}
