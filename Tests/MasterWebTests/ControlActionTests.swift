import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import MasterWeb

struct ControlActionTests {
    private static let file = """
        builders:
          - {name: one, steps: [steps.ShellCommand: {command: 'true'}]}
          - {name: two, steps: [steps.ShellCommand: {command: 'true'}]}
          - {name: slow, steps: [steps.ShellCommand: {command: sleep 60}]}
        schedulers:
          - schedulers.ForceScheduler:
              name: force
              builderNames: [one, two, slow]
              priority: 2
              properties:
                - util.StringParameter: {name: s1, default: d, required: true}
                - util.IntParameter: {name: count, default: 20}
                - util.BooleanParameter: {name: b1, default: true}
                - util.ChoiceStringParameter: {name: ch, choices: [x, y], default: y}
                - util.FixedParameter: {name: fx, default: fixed}
          - schedulers.Triggerable: {name: other, builderNames: [one]}
        """

    // MARK: The envelope

    @Test func `faulty calls are answered as captured`() async throws {
        try await withMaster(CapturedAnswers.configuration) { _, api in
            for captured in CapturedAnswers.all.answers where captured.name.hasPrefix("E-rpc") {
                let request = captured.record["request"]
                let body = request?.stringValue ?? "\(request ?? .null)"
                let answer = await api.post(
                    captured.path, text: body,
                    type: captured.name == "E-rpc-no-json-type" ? "text/plain" : "application/json")
                #expect(answer.status == captured.status, "\(captured.name)")
                var (found, expected) = (try JSONValue(parsing: answer.bytes), captured.body)
                // Two parsers put it differently.
                if captured.name == "E-rpc-bad-json" {
                    found["error"]?["message"] = nil
                    expected["error"]?["message"] = nil
                }
                #expect(found == expected, "\(captured.name)")
            }
        }
    }

    // MARK: Forcing

    @Test func `a form forces one builder with its values`() async throws {
        try await withMaster(Self.file) { _, api in
            let result = try await api.call(
                "forceschedulers/force", "force",
                [
                    "builderid": "2", "s1": "abc", "count": "5", "ch": "x", "b1": false,
                    "reason": "try it", "username": "Ann", "branch": "dev", "revision": "",
                    "priority": "7", "fx": "mine", "patch_body": "",
                ])
            let request = result[1]?["2"]?.intValue ?? 0
            #expect(result == [1, ["2": .int(request)]])
            let record = try await api.get("buildrequests/\(request)?property=*")
            let found = record["buildrequests"]?[0]
            #expect(found?["priority"] == 7)
            let source: JSONValue = "Force Build Form"
            #expect(
                found?["properties"] == [
                    "b1": [false, source], "ch": ["x", source], "count": [5, source],
                    "fx": ["fixed", source], "owner": ["Ann", source],
                    "reason": ["try it", source], "s1": ["abc", source],
                    "scheduler": ["force", "Scheduler"],
                ])
            let set = try await api.get("buildsets/1")["buildsets"]?[0]
            #expect(set?["reason"] == "A build was forced by 'Ann': try it")
            #expect(set?["sourcestamps"]?[0]?["branch"] == "dev")
        }
    }

    @Test func `a worker is paused, and builds again`() async throws {
        try await withMaster(Self.file) { _, api in
            let worker = try await api.get("workers")["workers"]?[0]
            #expect(worker?["connected_to"] == [["masterid": 1]])
            #expect(worker?["configured_on"]?.arrayValue?.count == 3)
            let path = "workers/\(worker?["workerid"]?.intValue ?? 0)"
            for (method, isPaused) in [("pause", true), ("unpause", false)] {
                let result = try await api.call(path, method, ["reason": "maintenance"])
                #expect(result == .null)
                let worker = try await api.get(path)["workers"]?[0]
                #expect(worker?["paused"] == .bool(isPaused))
                #expect(worker?["pause_reason"] == (isPaused ? "maintenance" : .null))
            }
            for method in ["stop", "kill"] {
                let answer = await api.post(path, method, [:])
                #expect(answer.status == 400)
                let message = try answer.fault()?["message"]?.stringValue ?? ""
                #expect(message.contains("is the master's own machine"))
            }
            #expect(await api.post("workers/99", "pause", [:]).status == 404)
        }
    }

    @Test func `builders are those that the form names, and only they`() async throws {
        try await withMaster(Self.file) { _, api in
            let one = try await api.call(
                "forceschedulers/force", "force", ["builderNames": ["two", "one"]])
            #expect(one[1]?.objectValue?.keys.sorted() == ["1", "2"])
            let all = try await api.call("forceschedulers/force", "force", [:])
            #expect(all[1]?.objectValue?.keys.sorted() == ["1", "2", "3"])
            for wrong: JSONObject in [
                ["builderNames": []], ["builderNames": ["zzz"]], ["builderNames": "one"],
                ["builderid": 99], ["builderid": "x"], ["builderid": [1]],
            ] {
                let answer = await api.post("forceschedulers/force", "force", wrong)
                #expect(answer.status == 400, "\(wrong)")
                let key = wrong.keys[0]
                #expect(try answer.fault()?["message"]?[key]?.stringValue != nil, "\(wrong)")
            }
            #expect(try await api.get("buildsets")["meta"]?["total"] == 2)
        }
    }

    @Test func `wrong values are shown beside their fields`() async throws {
        try await withMaster(Self.file) { _, api in
            let wrong = await api.post(
                "forceschedulers/force", "force",
                [
                    "builderid": 1, "s1": "", "count": "x", "ch": "z", "b1": "maybe",
                    "priority": "high", "branch": 5,
                ])
            #expect(wrong.status == 400)
            let fault = try wrong.fault()
            #expect(
                fault == [
                    "code": -32602,
                    "message": [
                        "s1": "needs a value", "count": "must be a whole number",
                        "b1": "must be true or false", "ch": "must be one of x, y",
                        "branch": "must be a text", "priority": "must be a whole number",
                    ],
                ])
            #expect(await api.post("forceschedulers/zzz", "force", [:]).status == 404)
            #expect(await api.post("forceschedulers/other", "force", [:]).status == 404)
            #expect(await api.post("forceschedulers/force", "nope", [:]).status == 501)
            #expect(try await api.get("builds")["builds"] == [])
        }
    }

    @Test func `the server's sender is the owner, and may be refused`() async throws {
        try await withMaster(Self.file) { _, api in
            let sender = DataSender(name: "alice")
            _ = try await api.call(
                "forceschedulers/force", "force", ["builderid": 1, "username": "bob"], by: sender)
            let list = try await api.get("buildsets/1/properties_list?name=owner")
            #expect(list["_properties"]?[0]?["value"] == #""alice""#)
            let refused = await api.post(
                "forceschedulers/force", "force", ["builderid": 1],
                by: DataSender(name: "bob", refusal: "you may not control builds"))
            #expect(refused.status == 403)
            #expect(
                try refused.fault() == ["code": -32600, "message": "you may not control builds"])
        }
    }

    // MARK: Builds and requests

    @Test func `a build is stopped, and rebuilt`() async throws {
        try await withMaster(Self.file) { master, api in
            _ = try await api.call("forceschedulers/force", "force", ["builderid": 3])
            try await master.waitUntil {
                try await api.get("builds?complete=false")["meta"]?["total"] == 1
            }
            #expect(try await api.get("builds/1")["builds"]?[0]?["state_string"] == "building")
            let result = try await api.call(
                "builders/slow/builds/1", "stop", ["reason": "enough"])
            #expect(result == .null)
            try await master.waitUntil {
                try await api.get("builds/1")["builds"]?[0]?["complete"] == true
            }
            let build = try await api.get("builds/1?property=s1")["builds"]?[0]
            #expect(build?["results"] == 6)
            #expect(build?["state_string"]?.stringValue?.contains("enough") == true)
            #expect(try await api.call("builds/1", "stop") == .null)
            let again = try await api.call("builds/1", "rebuild")
            #expect(again[1]?.objectValue?.keys == ["3"])
            let set = try await api.get("buildsets?rebuilt_buildid=1&limit=1&order=-bsid")
            #expect(set["buildsets"]?[0]?["bsid"] == again[0])
            let properties = try await api.get("buildsets/\(again[0] ?? 0)/properties")
            #expect(properties["properties"]?[0]?["s1"]?[0] == "d")
            for action in ["stop", "rebuild"] {
                #expect(await api.post("builds/999", action, [:]).status == 404)
            }
            #expect(await api.post("builders/slow", "stop", [:]).status == 501)
            #expect(await api.post("changes", "add", [:]).status == 501)
        }
    }

    @Test func `stopping a build that has ended does not stop the one that is made again`()
        async throws
    {
        let yaml = """
            builders:
              - name: again
                steps:
                  - steps.ShellCommand:
                      command: if test -e begun; then sleep 60; else touch begun; exit 1; fi
                      decodeRC: {0: success, 1: retry}
            """
        try await withMaster(yaml) { master, api in
            _ = try await master.submitUnattended(
                BuildsetRequest(builders: ["again"], reason: "test"))
            try await master.waitUntil { try await api.get("builds")["meta"]?["total"] == 2 }
            #expect(try await api.call("builds/1", "stop") == .null)
            #expect(master.activity(listing: 1).running == [1])
            try await Task.sleep(for: .milliseconds(100))
            #expect(try await api.get("builds/2")["builds"]?[0]?["complete"] == false)
            #expect(try await api.call("builds/2", "stop") == .null)
            try await master.waitUntil {
                try await api.get("builds/2")["builds"]?[0]?["results"] == 6
            }
        }
    }

    @Test func `a pending request is preferred, and cancelled`() async throws {
        try await withMaster(Self.file, slots: 1) { master, api in
            _ = try await api.call("forceschedulers/force", "force", ["builderid": 3])
            try await master.waitUntil { try await api.get("builds")["meta"]?["total"] == 1 }
            for id in [3, 1, 2] {
                _ = try await api.call("forceschedulers/force", "force", ["builderid": .int(id)])
            }
            #expect(
                try await api.call("buildrequests/4", "set_priority", ["priority": 9]) == .null)
            let pending = try await api.get(
                "buildrequests?claimed=false&order=-priority&field=buildrequestid&field=priority"
                    + "&field=claimed")
            #expect(pending["buildrequests"]?[0]?["buildrequestid"] == 4)
            #expect(try await api.call("buildrequests/2", "cancel") == .null)
            let cancelled = try await api.get("buildrequests/2")["buildrequests"]?[0]
            #expect(cancelled?["claimed"] == true)
            #expect(cancelled?["results"] == 6)
            #expect(
                await api.post("buildrequests/2", "set_priority", ["priority": 1]).status == 400)
            #expect(await api.post("buildrequests/3", "set_priority", [:]).status == 400)
            #expect(await api.post("buildrequests/99", "cancel", [:]).status == 404)
            _ = try await api.call("buildrequests/1", "cancel")
            try await master.waitUntil {
                try await api.get("builds?complete=true")["meta"]?["total"] == 3
            }
            let builds = try await api.get("builds?field=buildrequestid&field=buildid")
            #expect(
                builds["builds"]?.arrayValue?.compactMap { $0["buildrequestid"] } == [1, 4, 3])
        }
    }

    // MARK: Schedulers

    @Test func `a disabled scheduler submits nothing until it is enabled, also after a restart`()
        async throws
    {
        let file = """
            builders:
              - {name: one, steps: [steps.ShellCommand: {command: 'true'}]}
              - {name: two, steps: [steps.ShellCommand: {command: 'true'}]}
            schedulers:
              - schedulers.ForceScheduler: {name: force, builderNames: [one]}
              - schedulers.Dependent: {name: after, upstream: force, builderNames: [two]}
            """
        try await withTemporaryFolder { folder in
            try await withMaster(file, in: folder) { master, api in
                // Once the scheduler follows the other one, which it does from its start on.
                _ = try await api.call("forceschedulers/force", "force")
                try await master.waitUntil {
                    try await api.get("builders/two/builds?complete=true")["meta"]?["total"] == 1
                }
                _ = try await api.call("schedulers/2", "enable", ["enabled": false])
            }
            try await withMaster(file, in: folder) { master, api in
                #expect(try await api.get("schedulers/2")["schedulers"]?[0]?["enabled"] == false)
                let first = try await api.call("forceschedulers/force", "force")
                try await master.waitForState(of: "schedulers/after") { state in
                    state?["next"]?.intValue ?? 0 > first[0]?.intValue ?? 0 && state?["open"] == []
                }
                _ = try await api.call("schedulers/2", "enable", ["enabled": true])
                _ = try await api.call("forceschedulers/force", "force")
                try await master.waitUntil {
                    try await api.get("builders/two/builds?complete=true")["meta"]?["total"] == 2
                }
                #expect(try await api.get("builders/one/builds")["meta"]?["total"] == 3)
            }
        }
    }

    @Test func `a disabled force scheduler refuses`() async throws {
        try await withMaster(Self.file) { master, api in
            let updates: Set = [EventKind.schedulerUpdated]
            try await master.events.withSubscription(to: updates, bound: 8) { events in
                let result = try await api.call("schedulers/1", "enable", ["enabled": false])
                #expect(result == .null)
                var iterator = events.makeAsyncIterator()
                guard case .event(let event) = await iterator.next() else {
                    Issue.record("no event")
                    return
                }
                let message = DataAPI.messages(for: event)[0]
                #expect(message.path == ["schedulers", "1", "updated"])
                #expect(message.body["enabled"] == false)
            }
            #expect(await api.post("forceschedulers/force", "force", [:]).status == 400)
            #expect(try await api.get("builders/1/forceschedulers")["forceschedulers"] == [])
            #expect(try await api.get("schedulers/1")["schedulers"]?[0]?["enabled"] == false)
            #expect(await api.post("schedulers/1", "enable", ["enabled": "x"]).status == 400)
            #expect(await api.post("schedulers/99", "enable", ["enabled": true]).status == 404)
        }
    }
}

extension DataAPI {
    /// Sends a call and returns its answer.
    func post(
        _ path: String, _ method: String, _ parameters: JSONObject,
        by sender: DataSender = DataSender()
    ) async -> DataAnswer {
        let call: JSONValue = [
            "jsonrpc": "2.0", "id": 7, "method": .string(method), "params": .object(parameters),
        ]
        return await post(path, text: "\(call)", by: sender)
    }

    func post(
        _ path: String, text: String, type: String = "application/json",
        by sender: DataSender = DataSender()
    ) async -> DataAnswer {
        await answer(
            DataRequest(
                "POST", path.split(separator: "/").map(String.init), contentType: type,
                body: Array(text.utf8), sender: sender))
    }

    /// The result of a call that has to succeed.
    func call(
        _ path: String, _ method: String, _ parameters: JSONObject = [:],
        by sender: DataSender = DataSender()
    ) async throws -> JSONValue {
        let answer = await post(path, method, parameters, by: sender)
        let body = try JSONValue(parsing: answer.bytes)
        try #require(answer.status == 200, "\(path): \(body)")
        #expect(body["id"] == 7)
        return body["result"] ?? "no result"
    }
}

extension DataAnswer {
    fileprivate func fault() throws -> JSONValue? { try JSONValue(parsing: bytes)["error"] }
}
