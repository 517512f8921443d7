import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

struct PeriodicTests {
    @Test func `it needs an interval, which is not 0`() throws {
        _ = try Periodic.configured(yaml: "{periodicBuildTimer: 90m}")
        for yaml in ["{}", "{periodicBuildTimer: 0}", "{periodicBuildTimer: soon}"] {
            #expect(throws: ConfigurationError.self) { try Periodic.configured(yaml: yaml) }
        }
    }

    @Test func `with onlyIfChanged it builds the changes since the last build`() async throws {
        let scheduler = try Periodic.configured(
            yaml: "{periodicBuildTimer: 1h, onlyIfChanged: true, branch: main, "
                + "fileIsImportant: '*.c'}")
        let harness = try SchedulerHarness(changes: [SingleBranchSchedulerTests.change()])
        // The very first build needs no change.
        try await harness.run(scheduler, builds: 1)
        #expect(harness.builds.map(\.changeIDs) == [[]])
        #expect(harness.builds[0].sourceStamps.map(\.branch) == ["main"])
        harness.add(SingleBranchSchedulerTests.change(files: ["a.txt"]))
        harness.add(SingleBranchSchedulerTests.change("other", files: ["a.c"]))
        await #expect(throws: SchedulerHarness.EndlessWait.self) {
            try await harness.run(scheduler, builds: 1)
        }
        harness.add(SingleBranchSchedulerTests.change(files: ["a.c"], revision: "r4"))
        try await harness.run(scheduler, builds: 1)
        #expect(harness.builds.map(\.changeIDs) == [[], [2, 4]])
        #expect(harness.builds[1].sourceStamps.map(\.revision) == ["r4"])
    }

    @Test func `it builds once when onlyIfChanged is added`() async throws {
        let yaml = "{periodicBuildTimer: 1h, branch: b"
        let harness = try SchedulerHarness()
        try await harness.run(try Periodic.configured(yaml: yaml + "}"), builds: 2)
        harness.add(SingleBranchSchedulerTests.change("b"))
        let scheduler = try Periodic.configured(yaml: yaml + ", onlyIfChanged: true}")
        try await harness.run(scheduler, builds: 1)
        await #expect(throws: SchedulerHarness.EndlessWait.self) {
            try await harness.run(scheduler, builds: 1)
        }
        #expect(harness.builds.map(\.changeIDs) == [[], [], []])
        #expect(harness.builds.allSatisfy { $0.sourceStamps.map(\.branch) == ["b"] })
    }
}
