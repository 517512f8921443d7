import MasterKit
import Testing

struct BuildDetailsTests {
    @Test(arguments: [
        (
            BuildDetails.LogContents.none, BuildDetails.LogContents.none,
            BuildDetails.LogContents.none
        ),
        (.none, .all, .all), (.named(["a"]), .none, .named(["a"])),
        (.named(["a"]), .named(["b"]), .named(["a", "b"])), (.named(["a"]), .all, .all),
    ])
    func `of two choices of logs each log is there that either names`(
        _ one: BuildDetails.LogContents, _ other: BuildDetails.LogContents,
        _ expected: BuildDetails.LogContents
    ) {
        let (left, right) = (BuildDetails(logContents: one), BuildDetails(logContents: other))
        #expect(left.union(right).logContents == expected)
        #expect(right.union(left).logContents == expected)
    }

    @Test func `of two tails the longer one is fetched`() {
        let (one, other) = (BuildDetails(logTail: 5), BuildDetails(logTail: 20))
        #expect(one.union(other).logTail == 20)
        #expect(one.union(BuildDetails()).logTail == 5)
        #expect(BuildDetails().union(BuildDetails()).logTail == nil)
    }

    @Test func `logs bring steps with them, and content brings logs`() {
        #expect(!BuildDetails(steps: true).includesLogs)
        #expect(BuildDetails(logs: true).includesSteps)
        #expect(BuildDetails(logContents: .named([])).includesLogs)
        #expect(!BuildDetails().includesSteps)
    }

    @Test(arguments: [
        (BuildDetails.LogContents.none, false), (.all, true), (.named(["stdio"]), true),
        (.named(["test.stdio"]), true), (.named(["other.stdio", "test"]), false),
    ])
    func `a log is named alone or with its step`(
        _ contents: BuildDetails.LogContents, _ expected: Bool
    ) {
        #expect(contents.contain(log: "stdio", ofStep: "test") == expected)
    }
}
