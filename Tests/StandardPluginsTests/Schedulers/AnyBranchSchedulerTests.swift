import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct AnyBranchSchedulerTests {
    @Test func `it needs nothing, and takes branches or a filter`() throws {
        for yaml in ["{}", "{branches: [main, null]}", "{change_filter: {branch_re: r}}"] {
            _ = try AnyBranchScheduler.configured(yaml: yaml)
        }
        for yaml in ["{branches: []}", "{branches: [a], change_filter: {project: p}}"] {
            #expect(throws: ConfigurationError.self, "\(yaml)") {
                try AnyBranchScheduler.configured(yaml: yaml)
            }
        }
    }

    @Test(arguments: [
        ("{}", [[1], [2], [3], [4]]), ("{branches: [main, null]}", [[1], [3]]),
        ("{branches: null}", [[1], [2], [3], [4]]), ("{branches: b}", [[2]]),
        ("{change_filter: {branch_not_re: m}}", [[2], [3], [4]]),
    ])
    func `it builds changes of the branches`(_ yaml: String, _ expected: [[Int]]) async throws {
        let branches: [String?] = ["main", "b", nil, ""]
        let harness = try SchedulerHarness(
            state: ["seen": 0], changes: branches.map { SingleBranchSchedulerTests.change($0) })
        try await harness.run(try AnyBranchScheduler.configured(yaml: yaml))
        #expect(harness.builds.map(\.changeIDs) == expected)
        #expect(
            harness.builds[0].reason
                == "The AnyBranchScheduler scheduler named 'example' triggered this build")
    }
}
