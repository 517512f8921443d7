import FoundationEssentials
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct DirectoryUploadTests {
    @Test func `a folder comes to the master with all that is in it`() async throws {
        try await StepFolder.with { folder in
            try folder.write("one", to: "work/build/dist/one")
            try folder.write("two", to: "work/build/dist/deep/er/two")
            try FileManager.default.createDirectory(
                atPath: folder.workdir + "/dist/empty", withIntermediateDirectories: true)
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755],
                ofItemAtPath: folder.workdir + "/dist/one")
            try folder.write("kept", to: "out/kept")
            try folder.write("old", to: "out/one")
            let (results, harness) = try await folder.run(
                DirectoryUpload.self,
                "{workersrc: dist, masterdest: out, url: 'http://h/out', blocksize: 2}")
            #expect(results == .success)
            #expect(harness.summary == "uploaded dist, 2 files")
            #expect(try folder.names(in: "out") == ["deep", "empty", "kept", "one"])
            #expect(try folder.read("out/one") == "one")
            #expect(try folder.read("out/deep/er/two") == "two")
            #expect(try folder.permissions(of: "out/one") == 0o755)
            #expect(harness.urls.map(\.name) == ["out"])
            #expect(harness.urls.map(\.url) == ["http://h/out"])
        }
    }

    @Test func `a folder can be copied to a place that is in it`() async throws {
        try await StepFolder.with { folder in
            try folder.write("one", to: "work/build/dist/one")
            let (results, harness) = try await folder.run(
                DirectoryUpload.self, "{workersrc: dist, masterdest: work/build/dist/in/side}")
            #expect(results == .success)
            #expect(harness.summary == "uploaded dist, 1 file")
            #expect(try folder.names(in: "work/build/dist/in/side") == ["one"])
        }
    }

    @Test(arguments: [
        ("out/sub/file", "out/sub/file on the master is not a folder"),
        ("out/b/x", "out/b on the master is a folder"),
    ])
    func `what is in the way is found before anything is written`(
        _ obstacle: String, _ reason: String
    ) async throws {
        try await StepFolder.with { folder in
            for name in ["a", "b", "new/c", "sub/d", "sub/file/e"] {
                try folder.write("new", to: "work/build/dist/\(name)")
            }
            try folder.write("old", to: obstacle)
            let before = try folder.names(in: "out")
            let (results, harness) = try await folder.run(
                DirectoryUpload.self, "{workersrc: dist, masterdest: out}")
            #expect(results == .failure)
            #expect(harness.summary?.hasPrefix(reason) == true, "\(harness.summary ?? "")")
            #expect(try folder.names(in: "out") == before)
        }
    }

    @Test func `an upload over the configuration writes nothing`() async throws {
        let states = try await FactoryRun.run(
            "own",
            more: """
                factories:
                  own:
                    - steps.ShellCommand: mkdir dist && touch dist/a dist/master.yaml dist/z
                    - steps.DirectoryUpload: {workersrc: dist, masterdest: ., haltOnFailure: true}
                    - steps.ShellCommand: {command: 'ls a z', alwaysRun: true}
                """)
        #expect(
            states.dropFirst() == [
                "DirectoryUpload: ./master.yaml is the master's configuration and not overwritten "
                    + "(failure)",
                "ShellCommand_1: 'ls a ...': exit 2 (failure)",
            ])
    }

    @Test func `symbolic links in the folder are left out, and the log names them`() async throws {
        try await StepFolder.with { folder in
            try folder.write("secret", to: "elsewhere/secret")
            try folder.write("one", to: "work/build/dist/one")
            try folder.link("work/build/dist/link", to: folder.path + "/elsewhere")
            try folder.link("work/build/dist/file", to: folder.path + "/elsewhere/secret")
            let (results, harness) = try await folder.run(
                DirectoryUpload.self, "{workersrc: dist, masterdest: out}")
            #expect(results == .success)
            #expect(try folder.names(in: "out") == ["one"])
            #expect(harness.log("omitted")?.lines.count == 2)
        }
    }

    @Test(arguments: ["../out", "/tmp/step-test-outside", "link", "link/deeper", "a/../../out"])
    func `nothing is written outside of the folder of the configuration`(
        _ path: String
    ) async throws {
        try await StepFolder.with { folder in
            try folder.write("one", to: "work/build/dist/sub/one")
            let outside = folder.path + "-outside"
            try FileManager.default.createDirectory(
                atPath: outside, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: outside) }
            try folder.link("link", to: outside)
            let (results, harness) = try await folder.run(
                DirectoryUpload.self, "{workersrc: dist, masterdest: '\(path)'}")
            #expect(results == .failure)
            #expect(
                harness.summary?.contains("and not written") == true, "\(harness.summary ?? "")")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
            #expect(!FileManager.default.fileExists(atPath: "/tmp/step-test-outside"))
        }
    }

    @Test func `a link in the destination is not followed`() async throws {
        try await StepFolder.with { folder in
            try folder.write("one", to: "work/build/dist/sub/one")
            try folder.write("kept", to: "elsewhere/kept")
            try folder.write("x", to: "out/x")
            try folder.link("out/sub", to: folder.path + "/elsewhere")
            let (results, harness) = try await folder.run(
                DirectoryUpload.self, "{workersrc: dist, masterdest: out}")
            #expect(results == .failure)
            #expect(harness.summary?.contains("is not a folder") == true)
            #expect(try folder.names(in: "elsewhere") == ["kept"])
        }
    }

    @Test(arguments: [
        ("{workersrc: none, masterdest: out}", "no folder none"),
        ("{workersrc: dist/one, masterdest: out}", "dist/one is not a folder"),
        (
            "{workersrc: dist, masterdest: out, maxsize: 5}",
            "the files of dist have more than the 5 bytes of 'maxsize'"
        ),
    ])
    func `what can't be copied is a failure that says why`(
        _ settings: String, _ summary: String
    ) async throws {
        try await StepFolder.with { folder in
            try folder.write("one", to: "work/build/dist/one")
            try folder.write("two", to: "work/build/dist/two")
            let (results, harness) = try await folder.run(DirectoryUpload.self, settings)
            #expect(results == .failure)
            #expect(harness.summary == summary)
        }
    }

    @Test func `compress is accepted with a warning`() throws {
        #expect(throws: Never.self) {
            try DirectoryUpload.configured(yaml: "{workersrc: a, masterdest: b, compress: gz}")
        }
        #expect(throws: ConfigurationError.self) {
            try DirectoryUpload.configured(yaml: "{workersrc: a, masterdest: b, compress: xz}")
        }
    }
}
