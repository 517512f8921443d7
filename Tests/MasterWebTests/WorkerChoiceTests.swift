import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import MasterWeb

/// Builds that are forced on a worker that a person chooses.
@Suite(.timeLimit(.minutes(1)))
struct WorkerChoiceTests {
    private static let secrets = ["b": "secret"]
    private static let yaml = """
        secrets: [secrets.Environment]
        protocols: {msgpack: 0}
        workers: [{workers.Local: {name: a}}, {workers.Worker: {name: b, password: !Secret b}}]
        builders:
          - {name: linux, steps: []}
          - {name: mac, workernames: [a], steps: []}
        schedulers:
          - schedulers.ForceScheduler:
              name: force
              builderNames: [mac, linux]
              properties:
                - util.NestedParameter: {fields: [util.WorkerChoiceParameter: {}]}
          - schedulers.ForceScheduler:
              name: careful
              builderNames: [mac]
              properties: [util.WorkerChoiceParameter: {label: Where, required: true}]
        """

    /// Forces a builder, and returns the id of the request or what is wrong.
    private func force(
        _ master: Master, _ builder: String, on worker: String?, with form: String = "force"
    ) async throws -> Int? {
        let file = master.current
        let scheduler = try #require(file.schedulers.first { $0.name == form })
        let values: JSONObject = worker.map { ["workername": .string($0)] } ?? [:]
        let request = try #require(file.form(of: scheduler)).request(
            values, of: [builder], by: "Ann")
        return try await master.submitUnattended(request).requestIDs.first
    }

    private func connect(_ master: Master) async throws {
        let worker = ScriptedWorker(name: "b") { _ in .exit(0) }
        _ = try #require(await master.workerConnected(ConnectedWorker(worker, basedir: "/srv/b")))
    }

    private func fault(_ body: () async throws -> Int?) async -> JSONValue? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? ForceForm.Faults)?.texts["workername"]
        }
    }

    /// The name of the worker of a request's build, once it has ended.
    private func worker(ofRequest id: Int?, _ master: Master, _ api: DataAPI) async throws
        -> JSONValue?
    {
        let id = try #require(id)
        try await master.waitUntil {
            try await api.get("buildrequests/\(id)")["buildrequests"]?[0]?["complete"] == true
        }
        let builds = try await api.get("builds?buildrequestid=\(id)&property=workername")
        return builds["builds"]?[0]?["properties"]?["workername"]?[0]
    }

    @Test func `it is offered and checked`() async throws {
        try await withMaster(Self.yaml, secrets: Self.secrets) { master, api in
            let form = try await api.get("forceschedulers/force")["forceschedulers"]?[0]
            let field = form?["all_fields"]?[2]?["fields"]?[0]
            #expect(field?["type"] == "list")
            #expect(field?["fullName"] == "workername")
            #expect(field?["choices"] == ["-any-", "a", "b"])
            #expect(field?["default"] == "-any-")
            let careful = try await api.get("forceschedulers/careful")["forceschedulers"]?[0]
            #expect(careful?["all_fields"]?[2]?["choices"] == ["a"])
            #expect(careful?["all_fields"]?[2]?["label"] == "Where")

            #expect(
                await fault { try await force(master, "linux", on: "c") }
                    == "must be one of -any-, a, b")
            #expect(
                await fault { try await force(master, "mac", on: "b") }
                    == "must be a worker that builds 'mac': a")
            #expect(
                await fault { try await force(master, "mac", on: "-any-", with: "careful") }
                    == "needs a value")
            for any in [nil, "", "-any-"] {
                let id = try await force(master, "mac", on: any)
                #expect(try await worker(ofRequest: id, master, api) == "a")
            }
        }
    }

    @Test func `its build waits for it, also after a restart, and others do not`() async throws {
        try await withTemporaryFolder { folder in
            let chosen = try await withMaster(Self.yaml, in: folder, secrets: Self.secrets) {
                master, api in
                try await connect(master)
                let id = try await force(master, "linux", on: "b")
                #expect(try await worker(ofRequest: id, master, api) == "b")
                try await master.pause(worker: "b", reason: "repair")
                let chosen = try await force(master, "linux", on: "b")
                let other = try await force(master, "linux", on: nil)
                #expect(try await worker(ofRequest: other, master, api) == "a")
                let status = master.activity(listing: 9)
                #expect(status.waiting.map(\.reason) == ["a worker: 'b' is paused"])
                return chosen
            }
            try await withMaster(Self.yaml, in: folder, secrets: Self.secrets) { master, api in
                try await connect(master)
                let other = try await force(master, "linux", on: nil)
                #expect(try await worker(ofRequest: other, master, api) == "a")
                try await master.resume(worker: "b")
                #expect(try await worker(ofRequest: chosen, master, api) == "b")
            }
        }
    }

    @Test func `without it in the file the build waits for it by name`() async throws {
        try await withTemporaryFolder { folder in
            try await withMaster(Self.yaml, in: folder, secrets: Self.secrets) { master, _ in
                try await master.pause(worker: "b", reason: "repair")
                _ = try await force(master, "linux", on: "b")
            }
            let alone = Self.yaml.replacing("protocols: {msgpack: 0}\n", with: "").replacing(
                ", {workers.Worker: {name: b, password: !Secret b}}", with: "")
            try await withMaster(alone, in: folder, secrets: Self.secrets) { master, api in
                let status = master.activity(listing: 9)
                #expect(
                    status.waiting.map(\.reason)
                        == ["the worker 'b', which master.yaml does not have"])
            }
        }
    }
}
