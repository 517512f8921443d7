import Foundation
import GRDB
import MasterKit
import MasterTesting
import Synchronization
import Testing

@testable import MasterRuntime

/// Which pending requests are built together, and what becomes of their changes.
@Suite(.timeLimit(.minutes(2)))
struct CollapsingTests {
    /// A request, as tests compare it with another one.
    struct Ask: Sendable, CustomTestStringConvertible {
        var name: String
        var branch: String? = "main"
        var revision: String?
        var repository = "r"
        var project = ""
        var codebases = [""]
        var hasChange = false
        var changeProperties: JSONObject = [:]
        var properties: JSONObject = [:]
        var source = "Scheduler"

        var testDescription: String { name }

        fileprivate func request(_ master: Master) async throws -> BuildsetRequest {
            let stamps = codebases.map {
                SourceStamp(
                    branch: branch, revision: revision, repository: repository, project: project,
                    codebase: $0)
            }
            var request = BuildsetRequest(
                builders: ["one"], reason: name, sourceStamps: stamps,
                properties: Properties(properties, source: source))
            request.properties.set("scheduler", .string(name), source: "Scheduler")
            guard hasChange, let stamp = stamps.first else { return request }
            let change = Change(
                author: "Ann", comments: name, sourceStamp: stamp, properties: changeProperties,
                when: Date(timeIntervalSince1970: 0))
            request.changes = [try await master.addChange(change)]
            return request
        }
    }

    private static let plain = "builders: [{name: one, steps: []}]"

    /// The requests in order: their results, and the requests that took their places.
    private static func requests(_ master: Master) async throws -> [String] {
        try await master.environment.store.read { database in
            try database.all(
                """
                SELECT build_request.id, build_request.results, collapsed_into, buildset.complete_at
                FROM build_request JOIN buildset ON buildset.id = buildset_id
                ORDER BY build_request.id
                """
            ) { row in
                let results = Results(stored: row[1] as Int?).map(\.name) ?? "pending"
                let newer = (row[2] as Int?).map { " for \($0)" } ?? ""
                let open = results == "skipped" && (row[3] as Double?) == nil ? ", open" : ""
                return results + newer + open
            }
        }
    }

    private static let push = Ask(name: "push", revision: "r2", hasChange: true)

    @Test(arguments: [
        (Ask(name: "same"), true),
        (Ask(name: "other branch", branch: "b"), false),
        (Ask(name: "default branch", branch: nil), false),
        (Ask(name: "other repository", repository: "s"), false),
        (Ask(name: "other project", project: "p"), false),
        (Ask(name: "other codebase", codebases: ["c"]), false),
        (Ask(name: "more codebases", codebases: ["", "c"]), false),
        (Ask(name: "other revision", revision: "r1"), false),
        (Ask(name: "a change", hasChange: true), false),
        (Ask(name: "scheduler's property", properties: ["a": 1]), false),
        (Ask(name: "forced property", properties: ["a": 1], source: "force"), false),
        (Ask(name: "owner", properties: ["owner": "Ann"], source: "force"), false),
    ])
    func `requests without changes are one if they ask for the same`(
        _ newer: Ask, _ isOne: Bool
    ) async throws {
        try await check(Ask(name: "first"), newer, isOne)
    }

    @Test(arguments: [
        (Ask(name: "newer", revision: "r3", hasChange: true), true),
        (
            Ask(
                name: "of a change with properties", revision: "r3", hasChange: true,
                changeProperties: ["p": 1]), true
        ),
        (
            Ask(
                name: "merge request", revision: "r3", hasChange: true,
                changeProperties: ["source_branch": "b"]), false
        ),
        (Ask(name: "other branch", branch: "b", revision: "r3", hasChange: true), false),
        (Ask(name: "no change", revision: "r2"), false),
        (Ask(name: "properties", revision: "r3", hasChange: true, properties: ["a": 1]), false),
    ])
    func `requests with changes are one whatever their revisions`(
        _ newer: Ask, _ isOne: Bool
    ) async throws {
        try await check(Self.push, newer, isOne)
    }

    private func check(_ older: Ask, _ newer: Ask, _ isOne: Bool) async throws {
        try await MasterBench.with(Self.plain) { bench in
            try await bench.run(resumes: true) { master in
                master.submissions.distributor.hold()
                _ = try await master.submitUnattended(try await older.request(master))
                _ = try await master.submitUnattended(try await newer.request(master))
                let found = try await Self.requests(master)
                #expect(found == [isOne ? "skipped for 2" : "pending", "pending"])
                #expect(master.activity(listing: 9).waitingCount == (isOne ? 1 : 2))
            }
        }
    }

    @Test(arguments: [
        ("collapseRequests: false", "", ["pending", "pending"]),
        ("collapseRequests: false", ", collapseRequests: true", ["skipped for 2", "pending"]),
        ("", ", collapseRequests: false", ["pending", "pending"]),
        ("collapseRequests: true", "", ["skipped for 2", "pending"]),
    ])
    func `it can be turned off for all builders, or for one`(
        _ top: String, _ own: String, _ expected: [String]
    ) async throws {
        let yaml = "\(top)\nbuilders: [{name: one, steps: []\(own)}]"
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true) { master in
                master.submissions.distributor.hold()
                for _ in 1...2 {
                    let request = try await Ask(name: "same").request(master)
                    _ = try await master.submitUnattended(request)
                }
                let found = try await Self.requests(master)
                #expect(found == expected)
            }
        }
    }

    @Test(arguments: [
        ("", ["skipped for 3", "skipped for 4", "pending", "pending"]),
        // The second test needs the first compilation, so that this is not skipped.
        (", collapseRequests: false", ["pending", "pending", "pending", "pending"]),
    ])
    func `a request that another one needs is not skipped`(
        _ own: String, _ expected: [String]
    ) async throws {
        let yaml = """
            builders:
              - {name: compile, steps: []}
              - {name: test, steps: [], needs: [compile]\(own)}
            """
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true) { master in
                master.submissions.distributor.hold()
                for _ in 1...2 {
                    _ = try await master.submitUnattended(BuildsetRequest(reason: "same"))
                }
                let found = try await Self.requests(master)
                #expect(found == expected)
            }
        }
    }

    @Test func `what somebody waits for is built by itself`() async throws {
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $one]}
              - {name: start, steps: [steps.Trigger: {builderNames: [one], waitForFinish: true}]}
            """
        let (gate, began) = (Latch<Void>(), Journal<String>())
        let scripts: [String: Scripts.Script] = [
            "one": { _ in
                began.add("one")
                await gate.wait()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(slots: 3, resumes: true) { master in
                func submit(_ builder: String) async throws {
                    _ = try await master.submitUnattended(
                        BuildsetRequest(builders: [builder], reason: "test"))
                }
                try await submit("one")
                await began.wait(for: 1)
                // The step waits for the third one.
                try await master.events.withSubscription(to: [.buildrequestNew], bound: 9) {
                    events in
                    try await submit("start")
                    var iterator = events.makeAsyncIterator()
                    for _ in 1...2 { _ = await iterator.next() }
                }
                try await submit("one")
                let awaited = try await master.submit(
                    BuildsetRequest(builders: ["one"], reason: "test"))
                try await submit("one")
                let found = try await Self.requests(master)
                #expect(
                    found == [
                        "pending", "pending", "pending", "skipped for 5", "pending", "pending",
                    ])
                gate.set(())
                let builds = try await master.wait(for: awaited)
                #expect(builds.map(\.build.results) == [.success])
                await began.wait(for: 4)
            }
        }
    }

    // MARK: Changes

    private static let pushes = """
        schedulers:
          - schedulers.SingleBranchScheduler: {name: main, branch: main, builderNames: [one]}
        builders:
          - {name: one, steps: [steps.Play: $one]}
        """

    /// The changes of the builds that were not retried, by build.
    static func changesOfBuilds(
        _ master: Master, of builder: String? = nil
    ) async throws -> [[Int]] {
        try await master.environment.store.read { database in
            try database.numbers(
                """
                SELECT build.id FROM build JOIN builder ON builder.id = builder_id
                WHERE results = 0 AND name = ifnull(?, name) ORDER BY build.id
                """, [builder]
            ).map { try Change.all(ofBuild: $0, in: database).map(\.id) }
        }
    }

    /// Waits until every request is complete.
    static func waitForRequests(_ master: Master) async throws {
        while true {
            let open = try await master.environment.store.read {
                try $0.number("SELECT 1 FROM build_request WHERE complete_at IS NULL LIMIT 1", [])
            }
            if open == nil { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `what is pushed during a build is built once after it, also after a kill`()
        async throws
    {
        let (gate, began) = (Latch<Void>(), Journal<String>())
        let scripts: [String: Scripts.Script] = [
            "one": { _ in
                began.add("one")
                await gate.wait()
                return .success
            }
        ]
        try await MasterBench.with(Self.pushes, scripts: scripts) { bench in
            let copy = try await bench.run(resumes: true) { master -> String in
                try await ChangeSchedulerTests.wait(for: 0, by: "main", master)
                try await master.addChange(ChangeSchedulerTests.change(author: "Ann"))
                await began.wait(for: 1)
                for count in 2...500 {
                    try await master.addChange(
                        ChangeSchedulerTests.change(author: count == 7 ? "Bob" : "Cleo"))
                }
                try await ChangeSchedulerTests.wait(for: 500, by: "main", master)
                // As if killed now.
                let copy = try await bench.copy(of: master)
                gate.set(())
                try await Self.waitForRequests(master)
                try await checkPushes(master)
                return copy
            }
            try await bench.run(resumes: true, basedir: copy) { master in
                try await Self.waitForRequests(master)
                try await checkPushes(master)
                try await master.addChange(ChangeSchedulerTests.change())
                try await ChangeSchedulerTests.wait(for: 501, by: "main", master)
                try await Self.waitForRequests(master)
                let last = try await Self.changesOfBuilds(master).last
                #expect(last == [501])
            }
        }
    }

    private func checkPushes(_ master: Master) async throws {
        let built = try await Self.changesOfBuilds(master)
        #expect(built == [[1], Array(2...500)])
        let requests = try await Self.requests(master)
        #expect(requests.count == 500)
        #expect(requests.filter { $0.hasPrefix("skipped for ") }.count == 498)
        #expect(requests.last == "success")
        #expect(!requests.contains { $0.hasSuffix("open") })
        let source = StoreReportSource(master.environment.store)
        let id = try await master.environment.store.read {
            try $0.number("SELECT max(id) FROM build", [])
        }
        let event = Event(at: .now, kind: .buildFinished, lane: 1, buildID: id, record: [:])
        let authors = try await source.authors(of: event)
        #expect(Set(authors) == ["Bob", "Cleo"])
        #expect(try await source.changes(of: event).map(\.id) == Array(2...500))
    }

    @Test func `each change is built once, however requests and builds meet`() async throws {
        let scripts: [String: Scripts.Script] = ["one": { _ in .success }]
        try await MasterBench.with(Self.pushes, scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "main", master)
                for _ in 1...100 {
                    try await master.addChange(ChangeSchedulerTests.change())
                    await Task.yield()
                }
                try await ChangeSchedulerTests.wait(for: 100, by: "main", master)
                try await Self.waitForRequests(master)
                let built = try await Self.changesOfBuilds(master)
                #expect(built.flatMap(\.self).sorted() == Array(1...100))
                let requests = try await Self.requests(master)
                #expect(Set(requests.map { $0.prefix(7) }).isSubset(of: ["success", "skipped"]))
                #expect(master.activity(listing: 9).waitingCount == 0)
            }
        }
    }

    @Test func `with a build go the requests that were built in it`() async throws {
        try await MasterBench.with(Self.plain) { bench in
            try await bench.run(resumes: true) { master in
                let distributor = master.submissions.distributor
                for _ in 1...2 {
                    distributor.state.withLock { $0.isHeld = true }
                    for _ in 1...3 {
                        let request = try await Ask(name: "push", hasChange: true).request(master)
                        _ = try await master.submitUnattended(request)
                    }
                    distributor.state.withLock { $0.isHeld = false }
                    distributor.changed.raise()
                    try await Self.waitForRequests(master)
                }
                let built = try await Self.changesOfBuilds(master)
                #expect(built == [[1, 2, 3], [4, 5, 6]])
                try bench.write("janitor: {keepBuilds: 1}\n" + Self.plain)
                let settings = try #require(try bench.configuration().janitor)
                try bench.write(Self.plain)
                await Janitor.sweep(settings, in: master.configuration, now: .now)
                let rest = try await Self.requests(master)
                #expect(rest == ["skipped for 5", "skipped for 6", "success"])
                let kept = try await Self.changesOfBuilds(master)
                #expect(kept == [[4, 5, 6]])
            }
            _ = try await BuildHistory.clean(folder: bench.basedir, keepingLast: 1)
            try await bench.run(resumes: true) { master in
                let kept = try await Self.changesOfBuilds(master)
                #expect(kept == [[4, 5, 6]])
            }
        }
    }

    @Test func `other builds for the same sources have the changes, too`() async throws {
        let yaml = """
            schedulers:
              - schedulers.SingleBranchScheduler: {name: main, branch: main, builderNames: [one]}
              - schedulers.Dependent: {name: after, upstream: main, builderNames: [two]}
              - schedulers.Triggerable: {name: pack, builderNames: [three]}
            builders:
              - {name: one, steps: [steps.Trigger: {schedulerNames: [pack]}]}
              - {name: two, steps: []}
              - {name: three, steps: []}
              - {name: four, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "main", master)
                try await ChangeSchedulerTests.waitForState(of: "after", master)
                try await master.events.withSubscription(to: [.buildFinished], bound: 9) { events in
                    try await master.addChange(
                        ChangeSchedulerTests.change(properties: ["p": "change"]))
                    var found: [String: JSONValue] = [:]
                    for await case .event(let build) in events {
                        found[build.builderName ?? ""] = build.property("p") ?? .null
                        if found.count == 3 { break }
                    }
                    // Properties of changes are not passed on by a trigger, as in Buildbot.
                    #expect(found == ["one": "change", "two": "change", "three": .null])
                }
                _ = try await master.rebuild(1)
                try await Self.waitForRequests(master)
                let built = try await Self.changesOfBuilds(master)
                #expect(built.allSatisfy { $0 == [1] })
                #expect(built.count >= 4)
            }
        }
    }
}
