import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

struct RemoveDirectoryTests {
    @Test func `a folder is removed with all that is in it, and need not be there`() async throws {
        try await StepFolder.with { folder in
            try folder.write("x", to: "keep/f")
            try folder.write("x", to: "work/build/a/f")
            try folder.link("work/build/a/link", to: "\(folder.path)/keep")
            for summary in ["removed a", "nothing to remove: no a"] {
                let (results, harness) = try await folder.run(RemoveDirectory.self, "a")
                #expect(results == .success)
                #expect(harness.summary == summary)
            }
            #expect(!folder.has("work/build/a"))
            #expect(folder.has("keep/f"))
        }
    }

    @Test func `a tree deeper than the longest path is removed`() async throws {
        try await StepFolder.with { folder in
            let name = String(repeating: "d", count: 50)
            let script = """
                mkdir -p a/kept && cd a && i=0
                while [ $i -lt 1000 ]; do mkdir \(name) && cd -P \(name) && i=$((i+1)); done
                touch f && chmod 500 .
                """
            var shell = Command.Shell(.script(script), in: folder.workdir)
            shell.environment = ["PWD": folder.workdir]
            let made = try await LocalWorker(root: folder.root).run(.shell(shell)) { _ in }
            try #require(made.isSuccess)
            let (results, harness) = try await folder.run(RemoveDirectory.self, "a")
            #expect(results == .success, "\(harness.summary ?? "")")
            #expect(try folder.names(in: "work/build") == [])
        }
    }

    @Test(arguments: ["..", "../..", "/.", "FOLDER/keep", "link/x", "../../keep", "/tmp"])
    func `nothing is removed outside of the folder of builds`(_ path: String) async throws {
        try await StepFolder.with { folder in
            try folder.write("x", to: "keep/x")
            try folder.link("work/build/link", to: "\(folder.path)/keep")
            let (results, harness) = try await folder.run(RemoveDirectory.self, "dir: '\(path)'")
            #expect(results == .failure)
            #expect(harness.summary?.hasSuffix("not removed") == true)
            #expect(folder.has("keep/x"))
            #expect(folder.has("work/build"))
        }
    }

    @Test(arguments: ["..", "../..", "/.", "FOLDER", "FOLDER/work"])
    func `a folder that holds the builds is not removed even if it may be outside`(
        _ path: String
    ) async throws {
        try await StepFolder.with { folder in
            let (results, _) = try await folder.run(
                RemoveDirectory.self, "{dir: '\(path)', outside: true}")
            #expect(results == .failure)
            #expect(folder.has("work/build"))
        }
    }

    @Test func `a factory that runs beside master.yaml removes nothing there by accident`()
        async throws
    {
        try await StepFolder.with { folder in
            try folder.write("precious", to: "build/f")
            let refused = try await folder.run(RemoveDirectory.self, "build", in: folder.path)
            #expect(refused.results == .failure)
            #expect(folder.has("build/f"))
            let said = try #require(refused.harness.log("stdio")?.content)
            #expect(said.contains("outside: true"))
            let meant = try await folder.run(
                RemoveDirectory.self, "{dir: build, outside: true}", in: folder.path)
            #expect(meant.results == .success)
            #expect(!folder.has("build"))
        }
    }
}
