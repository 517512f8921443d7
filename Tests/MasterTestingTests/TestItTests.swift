import MasterKit
import MasterRuntimeTesting
import MasterTesting
import StandardPlugins
import Testing

@testable import CustomMaster

/// The code of the page for plugin authors that shows how plugins are tested, word for word.
@Suite(.timeLimit(.minutes(2)))
struct TestItTests {
    @Test func `a step is run by a scripted worker`() async throws {
        let worker = ScriptedWorker(.sends(Array("one\ntwo\n".utf8)))
        let harness = try StepHarness(worker: worker, workdir: "/work")
        let step = try CountLines.configured("words.txt")
        #expect(try await harness.run(step) == .success)
        #expect(harness.properties["lines"] == 2)
        #expect(worker.commands == [.uploadFile(.init("/work/words.txt"))])
    }

    @Test func `plugins keep what they promise`() async throws {
        try await ReporterContract(ChatRoom.self) { url in ["url": "\(url)/room"] }.verify()
        try await GeneratorContract(
            PropertyGenerator.self, ["property": "release"],
            samples: [RecordedBuild(properties: ["release": "1.0"])]
        ).verify()
        try await ServiceContract(
            Chain.self, ["after": "a", "builderNames": ["b"]],
            events: [RecordedBuild(builder: "a").finished]
        ).verify()
        try await SchedulerContract(Periodic.self, ["periodicBuildTimer": "1h"], builds: 3).verify()
    }

    @Test func `a step is run in folders of its own`() async throws {
        try await withTemporaryFolder { parent in
            try await StepContract(CountLines.self, "words.txt") {
                let folder = try parent.makeFolder()
                try folder.write("one\ntwo\n", to: "words.txt")
                return try StepHarness(worker: folder.localWorker, workdir: folder.path)
            }.verify()
        }
    }

    @Test func `a whole master runs`() async throws {
        let own = PluginBundle(CountLines.self)
        let master = MasterHarness(
            """
            services: [reporters.RecordingReporter]
            steps: [steps.CountLines: words.txt]
            """, files: ["words.txt": "one\ntwo\n"], plugins: [standardPlugins, own])
        let run = try await master.run()
        #expect(run.builds.map(\.results) == [.success])
        #expect(run.builds.first?.step("CountLines")?.stateString == "2 lines")
        #expect(run.recording.reports.map(\.results) == [nil, .success])
    }

    @Test func `a file is checked`() async throws {
        let own = PluginBundle(CountLines.self)
        let found = try await check("steps: [steps.CountLines: {pth: a}]", plugins: [own])
        #expect(
            found == ["1:28: error: steps.CountLines has no setting 'pth'; did you mean 'path'?"])
    }
}
