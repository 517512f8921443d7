import FoundationEssentials
import GRDB
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterWeb

struct DataAPITests {
    @Test func `a running build has its properties, and its log as many lines as can be read`()
        async throws
    {
        let file = """
            builders:
              - name: one
                properties: {first: 1, "odd 'name\\"é": x}
                steps:
                  - steps.SetProperty: {property: first, value: changed}
                  - steps.SetProperty: {property: made, value: "it's"}
                  - steps.ShellCommand: {name: say, command: 'echo 1; echo 2; sleep 60'}
            """
        try await withMaster(file) { master, api in
            _ = try await master.submitUnattended(BuildsetRequest(reason: "test"))
            let steps = "builds/1/steps/say/logs/stdio"
            func lines() async throws -> Int {
                let answer = await api.send("GET", steps)
                guard answer.status == 200 else { return 0 }
                let log = try JSONValue(parsing: answer.bytes)["logs"]?[0]
                return log?["num_lines"]?.intValue ?? 0
            }
            try await master.waitUntil {
                let text = await api.send("GET", steps + "/contents").text
                return text.contains("o2\\n")
            }
            let count = try await lines()
            let content = try await api.get("\(steps)/contents?limit=\(count)")
            let text = content["logchunks"]?[0]?["content"]?.stringValue ?? ""
            #expect(text.split(separator: "\n").count == count)
            let names = ["first", "made", "odd 'name\"é"]
            let query = names.map { "property=\($0)" }.joined(separator: "&")
            let some = try await api.get("builds?\(query)")["builds"]?[0]?["properties"]
            #expect(some?["first"]?[0] == "changed")
            #expect(some?["made"]?[0] == "it's")
            #expect(some?[names[2]]?[0] == "x")
            #expect(some?.objectValue?.count == 3)
            let all = try await api.get("builds/1?property=*")["builds"]?[0]?["properties"]
            let own = try await api.get("builds/1/properties")["properties"]?[0]
            #expect(all == own)
            for name in names { #expect(own?[name] == some?[name]) }
            _ = try await api.call("builds/1", "stop")
            try await master.waitUntil {
                try await api.get("builds?complete=true")["meta"]?["total"] == 1
            }
            let ended = try await api.get("builds?\(query)")["builds"]?[0]?["properties"]
            #expect(ended == some)
        }
    }

    @Test func `the logs of a build are those of all its steps, however many`() async throws {
        let file = """
            builders:
              - name: one
                steps:
                  - steps.ShellCommand: {command: 'echo 1'}
                  - steps.ShellCommand: {command: 'echo 2'}
            """
        try await withMaster(file) { master, api in
            for _ in 1...2 {
                _ = try await master.wait(for: master.submit(BuildsetRequest(reason: "test")))
            }
            let database = try DatabaseQueue(path: master.basedir + "/buildmaster.sqlite")
            try await database.write { database in
                try database.execute(
                    sql: """
                        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
                        INSERT INTO log (step_id, name, slug, kind, path)
                        SELECT step.id, i, i, 's', i FROM n, step WHERE build_id = 1
                        """)
            }
            try database.close()
            let logs = try await api.logs(ofBuild: 1)
            let steps = try await api.get("builds/1/steps")["steps"]?.arrayValue ?? []
            #expect(logs.count == 3002)
            #expect(Set(logs.map { $0["logid"] ?? .null }).count == 3002)
            #expect(Set(logs.map { $0["stepid"] ?? .null }) == Set(steps.map { $0["stepid"] ?? 0 }))
            let first = try await api.get("builds/1/steps/1/logs/stdio")["logs"]?[0]
            #expect(logs.first.map { .object($0) } == first)
            #expect(try await api.logs(ofBuild: 2).count == 2)
            #expect(try await api.logs(ofBuild: 9) == [])
            #expect(await api.send("GET", "builds/1/logs").status == 404)
        }
    }

    @Test func `changes are found from their builds, and builds from their changes`() async throws {
        try await withMaster(
            "builders: [{name: one, steps: [steps.ShellCommand: {command: 'true'}]}]"
        ) { master, api in
            let stamp = SourceStamp(branch: "main", revision: "r1", repository: "repo")
            var changes: [Change] = []
            var announced: [DataMessage] = []
            try await master.events.withSubscription(to: DataAPI.messageKinds, bound: 100) {
                events in
                for author in ["Ann", "Bob", "Cid"] {
                    changes.append(
                        try await master.addChange(
                            Change(
                                author: author, comments: "ä", files: ["a", "b/c"],
                                sourceStamp: stamp,
                                properties: ["z": [1, "x"], "a": false, "odd \"key": nil],
                                when: Date(timeIntervalSince1970: 1_700_000_000))))
                }
                for await case .event(let event) in events {
                    announced += DataAPI.messages(for: event)
                    if announced.count == 3 { break }
                }
            }
            // What is announced is what can be read.
            for (change, message) in zip(changes, announced) {
                #expect(message.path == ["changes", "\(change.id)", "new"])
                let read = try await api.get("changes/\(change.id)")["changes"]?[0]
                #expect(read?.objectValue?.count == 16)
                for (key, value) in read?.objectValue ?? [:] {
                    #expect(message.body[key] == value, "\(key)")
                }
            }
            var request = BuildsetRequest(reason: "test", sourceStamps: [stamp])
            request.changes = Array(changes.prefix(2))
            let done = try await master.submit(request)
            _ = try await master.wait(for: done)
            for path in ["builds/1/changes", "builders/1/builds/1/changes"] {
                let found = try await api.get("\(path)?field=author&order=author")
                #expect(
                    found == [
                        "changes": [["author": "Ann"], ["author": "Bob"]], "meta": ["total": 2],
                    ])
            }
            #expect(try await api.get("changes/1/builds")["builds"]?[0]?["buildid"] == 1)
            #expect(try await api.get("changes/3/builds")["meta"] == ["total": 0])
            let stampID = changes[2].sourceStamp.id
            let own = try await api.get("sourcestamps/\(stampID)/changes?field=changeid")
            #expect(own["changes"] == [["changeid": 3]])
            for path in [
                "changes/4", "sourcestamps/99/changes", "changes/4/builds",
                "changes/4/properties_list",
            ] {
                #expect(await api.send("GET", path).status == 404, "\(path)")
            }
        }
    }

    @Test func `times are compared as the whole seconds that clients see`() async throws {
        try await withMaster("builders: [{name: one, steps: []}]") { master, api in
            _ = try await master.wait(for: master.submit(BuildsetRequest(reason: "test")))
            let database = try DatabaseQueue(path: master.basedir + "/buildmaster.sqlite")
            try await database.write { database in
                try database.execute(sql: "UPDATE build SET started_at = 1780000000.75")
            }
            try database.close()
            let expected = [
                "eq": [false, true, false], "ne": [true, false, true], "lt": [false, false, true],
                "le": [false, true, true], "gt": [true, false, false], "ge": [true, true, false],
            ]
            for (test, isFound) in expected {
                for (second, isFound) in zip(1_779_999_999...1_780_000_001, isFound) {
                    let found = try await api.get("builds?started_at__\(test)=\(second)")
                    #expect(
                        found["builds"]?.arrayValue?.count == (isFound ? 1 : 0),
                        "\(test) \(second)")
                }
            }
        }
    }

    @Test func `builders are listed, and found by id and name`() async throws {
        try await withMaster(
            "builders: [{name: one, steps: [steps.ShellCommand: {command: 'true'}]}]"
        ) { master, api in
            let done = try await master.submit(BuildsetRequest(reason: "test"))
            _ = try await master.wait(for: done)
            let all = try await api.get("builders")
            #expect(all["builders"]?[0]?["name"] == "one")
            #expect(all["meta"] == ["total": 1])
            #expect(try await api.get("builders/1") == (try await api.get("builders/one")))
            let builds = try await api.get("builders/one/builds?order=-number&limit=5")
            #expect(builds["builds"]?[0]?["results"] == 0)
        }
    }
}
