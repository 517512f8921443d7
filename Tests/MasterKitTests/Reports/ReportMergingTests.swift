import MasterKit
import Testing

/// Merging the messages of several builds of a buildset.
struct ReportMergingTests {
    private func merged(_ bodies: Report.Body...) -> (body: Report.Body, all: Bool) {
        var report = Report(body: bodies[0])
        var hasAll = true
        for body in bodies.dropFirst() where !report.merge(Report(body: body)) { hasAll = false }
        return (report.body, hasAll)
    }

    @Test(arguments: [
        (Report.Body.plain("a"), Report.Body.plain("b"), Report.Body.plain("ab"), true),
        (.html("a"), .html("b"), .html("ab"), true),
        (.json("a"), .json("b"), .json("ab"), true),
        (.json([1]), .json([2, 3]), .json([1, 2, 3]), true),
        (.json(["a": 1]), .json(["b": 2]), .json(["a": 1]), false),
        (.json([1]), .json("b"), .json([1]), false),
        (.json(1), .json(2), .json(1), false),
        (.json(.null), .json([2]), .json([2]), true),
        (.json([1]), .json(.null), .json([1]), true),
        (.empty, .plain("b"), .plain("b"), true),
        (.plain("a"), .empty, .plain("a"), true),
        (.empty, .empty, .empty, true),
        (.plain("a"), .html("b"), .plain("a"), false),
        (.json("a"), .plain("b"), .json("a"), false),
    ])
    func `bodies that go together are put together`(
        _ one: Report.Body, _ other: Report.Body, _ expected: Report.Body, _ hasAll: Bool
    ) {
        let result = merged(one, other)
        #expect(result.body == expected)
        #expect(result.all == hasAll)
    }

    @Test func `the kind that comes first stays, and others do not spoil what follows`() {
        let result = merged(.empty, .plain("a"), .html("x"), .plain("b"))
        #expect(result.body == .plain("ab"))
        #expect(!result.all)
    }

    @Test(
        arguments: [
            (nil, nil, nil), ("a", nil, "a"), (nil, "b", "b"), ("a", "b", "a"),
        ] as [(String?, String?, String?)])
    func `the first subject stays`(_ one: String?, _ other: String?, _ expected: String?) {
        var report = Report(body: .plain("a"), subject: one)
        report.merge(Report(body: .plain("b"), subject: other))
        #expect(report.subject == expected)
    }

    @Test func `extra information is put together, entry by entry, and the first stays`() {
        var report = Report(body: .plain(""), extraInfo: ["a": ["x": 1], "c": 3])
        report.merge(
            Report(body: .plain(""), extraInfo: ["a": ["x": 2, "y": 2], "b": ["z": 1], "c": 4]))
        #expect(report.extraInfo == ["a": ["x": 1, "y": 2], "b": ["z": 1], "c": 3])
    }

    @Test(arguments: [
        (Results.success, Results.failure, Results.failure), (.retry, .failure, .retry),
        (.skipped, .success, .success), (.cancelled, .exception, .cancelled),
    ])
    func `results are the worst`(_ one: Results, _ other: Results, _ expected: Results) {
        var report = Report(body: .empty, results: one)
        report.merge(Report(body: .empty, results: other))
        #expect(report.results == expected)
    }

    @Test func `people, patches, logs and builds are those of both`() {
        var report = Report(
            body: .plain("a"), buildIDs: [1], builds: [["buildid": 1]], users: ["zoe", "ann"],
            patches: [["level": 1]], logs: [["name": "a"]])
        report.merge(
            Report(
                body: .html("b"), buildIDs: [2], builds: [["buildid": 2]], buildset: ["bsid": 1],
                users: ["bob", "ann"], patches: [["level": 1], ["level": 2]],
                logs: [["name": "b"]]))
        #expect(report.buildIDs == [1, 2])
        #expect(report.builds == [["buildid": 1], ["buildid": 2]])
        #expect(report.buildset == ["bsid": 1])
        #expect(report.users == ["ann", "bob", "zoe"])
        #expect(report.patches == [["level": 1], ["level": 2]])
        #expect(report.logs == [["name": "a"], ["name": "b"]])
    }
}
