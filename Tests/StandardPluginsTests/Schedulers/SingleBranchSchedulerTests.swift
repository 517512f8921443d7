import Foundation
import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

/// Which changes count, and what is built of them; timers are tested with a master.
struct SingleBranchSchedulerTests {
    static let start = Date(timeIntervalSince1970: 1_767_225_600)

    static func change(
        _ branch: String? = "main", files: [String] = [], revision: String? = nil,
        repository: String = "", project: String = "", codebase: String = "",
        category: String? = nil, properties: JSONObject = [:]
    ) -> Change {
        Change(
            author: "Ann <ann@example.org>", comments: "", files: files,
            sourceStamp: SourceStamp(
                branch: branch, revision: revision, repository: repository, project: project,
                codebase: codebase),
            category: category, properties: properties, when: start)
    }

    @Test func `it needs a branch or a filter, and not both`() throws {
        for yaml in ["{branch: main}", "{branch: null}", "{change_filter: {project: a}}"] {
            _ = try SingleBranchScheduler.configured(yaml: yaml)
        }
        for yaml in ["{}", "{branch: main, change_filter: {branch: main}}", "{branch: [a, b]}"] {
            #expect(throws: ConfigurationError.self, "\(yaml)") {
                try SingleBranchScheduler.configured(yaml: yaml)
            }
        }
    }

    // MARK: Filters

    private static let subject = change(
        "release/2", repository: "git://h/app", project: "app", codebase: "core", category: "push",
        properties: ["event": "push", "count": 3])

    @Test(arguments: [
        ("{branch: release/2}", true), ("{branch: [main, release/2]}", true),
        ("{branch: main}", false), ("{branch: null}", false), ("{branch: ''}", false),
        ("{branch_not_eq: main}", true), ("{branch_not_eq: [main, release/2]}", false),
        // From the start of the value, not necessarily to its end.
        ("{branch_re: rel}", true), ("{branch_re: elease}", false), ("{branch_re: 'x|rel'}", true),
        ("{branch_re: ['x', 'release/[0-9]$']}", true), ("{branch_re: '(?x)rel # so'}", true),
        ("{branch_not_re: rel}", false), ("{branch_not_re: elease}", true),
        ("{repository: git://h/app, project: app, codebase: core, category: push}", true),
        ("{repository: git://h/app, project: other}", false), ("{codebase: ''}", false),
        ("{category_re: 'p', project_not_re: 'b'}", true), ("{category_not_eq: push}", false),
        ("{property_eq: {event: push, count: 3}}", true), ("{property_eq: {event: [a]}}", false),
        ("{property_eq: {other: ''}}", true), ("{property_not_eq: {event: push}}", false),
        ("{property_re: {event: pu}}", true), ("{property_not_re: {event: pu}}", false),
        ("{util.ChangeFilter: {branch: main}}", false),
        ("{util.ChangeFilter: {branch: release/2}}", true), ("{}", true),
    ])
    func `a filter admits what fits everything that it has`(
        _ filter: String, _ isAdmitted: Bool
    ) throws {
        let scheduler = try SingleBranchScheduler.configured(yaml: "{change_filter: \(filter)}")
        let found = try #require(scheduler.selection.changeFilter)
        #expect(try found.admits(Self.subject) == isAdmitted)
    }

    @Test(arguments: [
        ("{branch: null}", true), ("{branch: [null, main]}", true), ("{branch: ''}", false),
        ("{branch_re: '.*'}", false), ("{branch_not_re: '.*'}", true),
        ("{branch_not_eq: main}", true), ("{branch_not_eq: null}", false),
        ("{category: a}", false), ("{category_not_eq: a}", true), ("{category_re: ''}", false),
    ])
    func `the default branch is null, which matches no regular expression`(
        _ filter: String, _ isAdmitted: Bool
    ) throws {
        let scheduler = try SingleBranchScheduler.configured(yaml: "{change_filter: \(filter)}")
        let found = try #require(scheduler.selection.changeFilter)
        #expect(try found.admits(Self.change(nil)) == isAdmitted)
    }

    @Test(arguments: [
        ("'*.txt'", ["top.txt"], true), ("'*.txt'", ["docs/a/b.txt"], true),
        ("'*.txt'", ["a.txtx"], false), ("docs/", ["docs/a/b"], true),
        ("docs/", ["more/docs/x"], true), ("docs/", ["docs"], false),
        ("src/*.c", ["src/a.c"], true), ("src/*.c", ["src/x/a.c"], false),
        ("src/**/*.c", ["src/x/y/a.c"], true), ("src/**/*.c", ["src/a.c"], true),
        ("src/**", ["src/x/y"], true), ("src/**", ["lib/src/x"], false),
        ("'**/Makefile'", ["Makefile"], true), ("'a?[bc].txt'", ["axb.txt"], true),
        ("'[!a].c'", ["b.c"], true), ("'[!a].c'", ["a.c"], false), ("a.c", ["abc"], false),
        ("[src/**, '*.h']", ["x", "include/x.h"], true), ("src/**", ["x", "y"], false),
        ("{exclude: ['*.txt', docs/]}", ["a.txt", "docs/x"], false),
        ("{exclude: ['*.txt', docs/]}", ["a.txt", "a.c"], true),
        ("{include: src/**, exclude: src/docs/**}", ["src/docs/a"], false),
        ("{include: src/**, exclude: src/docs/**}", ["src/docs/a", "src/b"], true),
        // Nobody knows the files of such a change.
        ("src/**", [], true),
    ])
    func `a change is important if one of its files is`(
        _ patterns: String, _ files: [String], _ isImportant: Bool
    ) throws {
        let yaml = "{branch: main, fileIsImportant: \(patterns)}"
        let found = try SingleBranchScheduler.configured(yaml: yaml).selection.fileIsImportant
        #expect(try #require(found).areIn(Self.change(files: files)) == isImportant)
    }

    @Test(arguments: [
        ("'!a'", "'!a' begins with '!'; write the rest of it in 'exclude'"),
        ("''", "'' is not a pattern for paths"), ("'a[b'", "'a[b' has a '[' without a ']'"),
        ("/a", "'/a' never fits"), ("{}", "'fileIsImportant' needs patterns"),
        ("[]", "must not be empty"),
        ("'lambda change: True'", "'lambda change: True' is Python; write patterns such as src/**"),
    ])
    func `a pattern that never fits is an error`(_ pattern: String, _ expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try SingleBranchScheduler.configured(
                yaml: "{branch: main, fileIsImportant: \(pattern)}")
        }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    // MARK: Builds

    @Test func `each important change of the branch is built at once, from its first start on`()
        async throws
    {
        let scheduler = try SingleBranchScheduler.configured(
            yaml: "{branch: main, fileIsImportant: '*.c', categories: [push]}")
        let harness = try SchedulerHarness(changes: [
            Self.change(files: ["a.c"], category: "push")
        ])
        try await harness.run(scheduler)
        #expect(harness.builds.isEmpty)
        for change in [
            Self.change(files: ["b.c"], revision: "r2", category: "push"),
            Self.change(files: ["b.txt"], category: "push"),
            Self.change("other", files: ["b.c"], category: "push"),
            Self.change(files: ["c.c"], category: "pull"), Self.change(files: ["c.c"]),
            Self.change(revision: "r7", category: "push"),
        ] { harness.add(change) }
        try await harness.run(scheduler)
        #expect(harness.builds.map(\.changeIDs) == [[2], [7]])
        #expect(harness.builds.map { $0.sourceStamps.map(\.revision) } == [["r2"], ["r7"]])
        #expect(
            harness.builds[0].reason
                == "The SingleBranchScheduler scheduler named 'example' triggered this build")
        try await harness.run(scheduler)
        #expect(harness.builds.count == 2)
        #expect(harness.savedState?["seen"] == 7)
    }

    @Test func `a change that can't be judged is not built, and the next one is`() async throws {
        let scheduler = try SingleBranchScheduler.configured(
            yaml: "{change_filter: {project_re: '(a+)+$'}}")
        let harness = try SchedulerHarness(
            state: ["seen": 0],
            changes: [
                Self.change(project: String(repeating: "a", count: 5000) + "b"),
                Self.change(project: "a"),
            ])
        try await harness.run(scheduler)
        #expect(harness.builds.map(\.changeIDs) == [[2]])
    }

    @Test func `absolute builds also have the last sources of the other codebases`() async throws {
        let changes = [
            Self.change(revision: "a1", codebase: "a"), Self.change(revision: "b1", codebase: "b"),
            Self.change(revision: "a2", codebase: "a"),
        ]
        for (isAbsolute, expected) in [
            (false, [["a1"], ["b1"], ["a2"]]), (true, [["a1"], ["a1", "b1"], ["a2", "b1"]]),
        ] {
            let scheduler = try SingleBranchScheduler.configured(
                yaml: "{branch: main, createAbsoluteSourceStamps: \(isAbsolute)}")
            let harness = try SchedulerHarness(state: ["seen": 0], changes: changes)
            for _ in 1...3 { try await harness.run(scheduler, builds: 1) }
            #expect(harness.builds.map { $0.sourceStamps.map { $0.revision ?? "" } } == expected)
        }
    }

    @Test func `many changes are read page by page`() async throws {
        let scheduler = try SingleBranchScheduler.configured(yaml: "{branch: main}")
        let harness = try SchedulerHarness(
            state: ["seen": 0], changes: (1...250).map { Self.change(revision: "r\($0)") })
        try await harness.run(scheduler)
        #expect(harness.builds.map(\.changeIDs) == (1...250).map { [$0] })
    }
}
