import FoundationEssentials
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Changes in the store, and the builds made of them.
struct ChangeTests {
    private static let stamp = SourceStamp(
        branch: "main", revision: "r77", repository: "repo1", project: "proj", codebase: "app")

    private static func change(
        _ comments: String, stamp: SourceStamp = stamp, properties: JSONObject = [:]
    ) -> Change {
        Change(
            author: "Ann <ann@example.org>", committer: "Com <c@example.org>", comments: comments,
            files: ["a.c", "ä/b.c"], sourceStamp: stamp, revlink: "http://x/r77", category: "cat",
            properties: properties, when: Date(timeIntervalSince1970: 1_700_000_000))
    }

    private func add(_ change: Change, to fixture: StoreFixture) async throws -> Change {
        try await fixture.store.write { try $0.add(Masked(alreadyMasked: change)) }
    }

    @Test func `a change is read as it was added, and its record has every field`() async throws {
        try await StoreFixture.run { fixture in
            let wanted = Self.change("msg", properties: ["p": 1])
            let added = try await add(wanted, to: fixture)
            #expect(try await fixture.store.read { try Change.find(added.id, in: $0) } == added)
            #expect(added.sourceStamp.id > 0)
            #expect(
                added.json == [
                    "changeid": 1, "parent_changeids": [], "author": "Ann <ann@example.org>",
                    "committer": "Com <c@example.org>", "comments": "msg",
                    "files": ["a.c", "ä/b.c"], "revision": "r77", "revlink": "http://x/r77",
                    "branch": "main", "category": "cat", "when_timestamp": 1_700_000_000,
                    "properties": ["p": [1, "Change"]], "repository": "repo1", "project": "proj",
                    "codebase": "app", "sourcestamp": .object(added.sourceStamp.json),
                ])
            #expect(try await fixture.store.read { try Change.find(2, in: $0) } == nil)
        }
    }

    @Test func `the parent is the last change of the same line, also of no branch`() async throws {
        try await StoreFixture.run { fixture in
            var (none, project, codebase) = (Self.stamp, Self.stamp, Self.stamp)
            none.branch = nil
            project.project = "other"
            codebase.codebase = "other"
            let stamps = [Self.stamp, none, project, codebase, Self.stamp, none, Self.stamp]
            var parents: [[Int]] = []
            for stamp in stamps {
                parents.append(try await add(Self.change("c", stamp: stamp), to: fixture).parentIDs)
            }
            #expect(parents == [[], [], [], [], [1], [2], [5]])
            let newest = try await fixture.store.read { try Change.newest(2, in: $0) }
            #expect(newest.map(\.id) == [7, 6])
        }
    }

    @Test func `an event tells of a change once it is stored`() async throws {
        try await StoreFixture.run { fixture in
            var added: Change?
            let events = try await fixture.events {
                added = try await add(Self.change("msg"), to: fixture)
            }
            #expect(events.map(\.kind) == [.changeNew])
            #expect(events.map(\.record) == [added?.json])
            #expect(events.first?.buildRecord == nil)
        }
    }

    private static let builder = """
        services: [services.Committer]
        builders: [{name: one, steps: []}]
        """

    @Test func `builds know the changes of their buildset, whose properties win`() async throws {
        try await MasterBench.with(Self.builder, plugins: [Committer.self]) { bench in
            try await bench.run { master in
                var request = BuildsetRequest(
                    builders: ["one"], reason: "test",
                    properties: Properties(["p": "mine", "other": "mine"], source: "test"))
                for (name, value) in [("first", 1), ("second", 2)] as [(String, JSONValue)] {
                    let change = Self.change(name, properties: ["p": value])
                    request.changes.append(try await master.addChange(change))
                }
                let build = try #require(
                    try await master.wait(for: master.submit(request)).first?.build)
                #expect(build.properties["p"] == 2)
                #expect(build.properties["other"] == "mine")
                let changes = try await master.environment.store.read { database in
                    try Change.all(ofBuild: build.id, in: database)
                }
                #expect(changes.map(\.json) == request.changes.map(\.json))
                #expect(changes.map(\.parentIDs) == [[], [1]])
            }
        }
    }

    @Test func `a service adds changes together with its state`() async throws {
        try await MasterBench.with(Self.builder, plugins: [Committer.self]) { bench in
            for count in 1...2 {
                let newest = try await bench.run { master in
                    _ = try await master.build(["one"])
                    _ = try await master.endServices()
                    return try await master.environment.store.read { database in
                        try Change.newest(10, in: database)
                    }
                }
                let words = ["second \(count)", "first \(count)"]
                #expect(newest.prefix(2).map(\.comments) == words)
                #expect(newest.count == 2 * count)
            }
        }
    }

    @Test func `the source stamps of an older store are kept`() async throws {
        try await StoreFixture.inFolder { folder in
            let old = try DatabaseQueue(path: folder + "/" + StoreOpening.fileName)
            try StoreSchema.migrator.migrate(old, upTo: "7 properties")
            try await old.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO buildset (id, reason, submitted_at, properties)
                        VALUES (1, 'test', 1000.5, '{}');
                        INSERT INTO source_stamp VALUES (7, 1, 'b', 'r', 'repo', 'p', 'c', 1000.5);
                        """)
            }
            try old.close()
            let store = try await Store.open(folder: folder)
            let stamps = try await store.read { try SourceStamp.all(ofBuildset: 1, in: $0) }
            let expected = SourceStamp(
                id: 7, branch: "b", revision: "r", repository: "repo", project: "p", codebase: "c",
                createdAt: Date(timeIntervalSince1970: 1000.5))
            #expect(stamps == [expected])
            await store.close()
        }
    }

    @Test func `secrets in a change are not stored`() {
        let mask = SecretMask([(name: "token", value: "hunter2-secret")])
        var stamp = Self.stamp
        stamp.repository = "https://hunter2-secret@host/app.git"
        let change = Self.change(
            "uses hunter2-secret", stamp: stamp, properties: ["p": "hunter2-secret"])
        let text = JSONWriter.compact.string(.object(mask.masked(change).value.json))
        #expect(!text.contains("hunter2"))
    }
}

/// A service that adds two changes after each build, and counts how often.
private struct Committer: MasterService {
    static let summary = "Adds changes after builds."

    let wantedEvents: Set<EventKind> = [.buildFinished]

    func run(in context: ServiceContext) async throws {
        for await case .event in context.events {
            let count = (try await context.state()?.intValue ?? 0) + 1
            let changes = ["first", "second"].map { word in
                Change(
                    author: "Ann", comments: "\(word) \(count)", sourceStamp: SourceStamp(),
                    when: context.now)
            }
            try await context.addChanges(changes, saving: .int(count))
        }
    }
}
