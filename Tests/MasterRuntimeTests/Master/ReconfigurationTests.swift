import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What happens to a running master when its file changes.
@Suite(.timeLimit(.minutes(1)))
struct ReconfigurationTests {
    private static let steps = "steps: [steps.SetProperty: {property: p, value: 1}]\n"

    private static func push(_ server: LoopbackServer, _ name: String, _ settings: String = "")
        -> String
    {
        "  - reporters.HttpStatusPush: {name: \(name), serverUrl: '\(server.url)/\(name)'\(settings)}\n"
    }

    /// Loads the file again and applies it.
    private func reconfigure(
        _ master: Master, _ bench: MasterBench, _ yaml: String
    ) async throws -> ConfigurationChanges {
        try await bench.reconfigure(master, yaml)
    }

    @Test func `reporters that are added, changed and removed follow the file`() async throws {
        try await withLoopbackServer { _ in
            .respond()
        } _: { server in
            let (one, two) = (Self.push(server, "one"), Self.push(server, "two"))
            try await MasterBench.with("services:\n\(one)\(Self.steps)") { bench in
                try await bench.run { master in
                    _ = try await master.build()
                    await server.waitForRequests(2)

                    let added = try await reconfigure(
                        master, bench, "services:\n\(one)\(two)\(Self.steps)")
                    #expect(added.reporters.added == ["two"])
                    #expect(added.reporters.changed.isEmpty && added.reporters.removed.isEmpty)
                    _ = try await master.build()
                    await server.waitForRequests(6)

                    let elsewhere = one.replacing("/one'", with: "/other'")
                    let changed = try await reconfigure(
                        master, bench, "services:\n\(elsewhere)\(Self.steps)")
                    #expect(changed.reporters.changed == ["one"])
                    #expect(changed.reporters.removed == ["two"])
                    _ = try await master.build()
                    await server.waitForRequests(8)
                    let summary = try await master.drain(for: .seconds(10))
                    #expect(summary.openCount == 0)
                }
                let counts = Dictionary(grouping: server.requests, by: \.target).mapValues(\.count)
                #expect(counts == ["/one": 4, "/two": 2, "/other": 2])
            }
        }
    }

    @Test(arguments: [
        "janitor: {keepBuilds: 5}", "locks: {db: {maxCount: 2}}", "title: Other",
        "titleURL: http://example.org/", "buildbotURL: http://example.org/", "properties: {a: b}",
        "httpSession: shared", "delivery: {maxAge: 3d}", "secrets: [secrets.Environment]",
        "protocols: {msgpack: {port: 0}}",
    ])
    func `a setting at the top level that has changed is named`(_ line: String) async throws {
        try await MasterBench.with(Self.steps) { bench in
            try await bench.run { master in
                let same = try await reconfigure(master, bench, Self.steps)
                #expect(same.settings.changed == [])
                let changed = try await reconfigure(master, bench, "\(Self.steps)\(line)\n")
                #expect(changed.settings.changed == [String(line.prefix { $0 != ":" })])
            }
        }
    }

    @Test func `what a reporter has not delivered goes to its new address, once and in order`()
        async throws
    {
        try await withLoopbackServer { _ in
            .text("not now", status: 503)
        } _: { away in
            try await withLoopbackServer { _ in
                .respond()
            } _: { server in
                let old = "services: [reporters.HttpStatusPush: '\(away.url)/']\n\(Self.steps)"
                try await MasterBench.with(old) { bench in
                    let summary = try await bench.run { master in
                        for _ in 1...3 { _ = try await master.build() }
                        await away.waitForRequests(3)
                        _ = try await reconfigure(
                            master, bench, old.replacing(away.url, with: server.url))
                        return try await master.drain(for: .seconds(20), isPatient: true)
                    }
                    #expect(summary.openCount == 0 && summary.deadCount == 0)
                    let numbers = try server.requests.map { request in
                        let build = try JSONValue(
                            parsing: String(decoding: request.body, as: UTF8.self))
                        return "\(build["buildrequest"]?["buildrequestid"] ?? .null) "
                            + "\(build["complete"] ?? .null)"
                    }
                    #expect(Set(numbers).count == 6)
                    #expect(numbers.count == 6)
                    for request in 1...3 {
                        #expect(
                            numbers.filter { $0.hasPrefix("\(request) ") }
                                == ["\(request) false", "\(request) true"])
                    }
                }
            }
        }
    }

    @Test func `a reporter that is gone leaves its reports, and takes them up when it is back`()
        async throws
    {
        try await withLoopbackServer { _ in
            .text("not now", status: 503)
        } _: { server in
            let with =
                "services:\n\(Self.push(server, "one", ", retry: {backoff: 1ms}"))\(Self.steps)"
            try await MasterBench.with(with) { bench in
                try await bench.run { master in
                    _ = try await master.build()
                    await server.waitForRequests(1)
                    let gone = try await reconfigure(master, bench, Self.steps)
                    #expect(gone.reporters.removed == ["one"])
                    let count = server.requests.count
                    _ = try await master.build()
                    #expect(server.requests.count == count)
                    let parked = try await master.environment.store.read {
                        try $0.waitingCounts().parked
                    }
                    #expect(parked == 2)
                    _ = try await reconfigure(master, bench, with)
                    await server.waitForRequests(count + 1)
                }
            }
        }
    }

    @Test func `a new plugin that can't start changes nothing`() async throws {
        struct Broken: Error, CustomStringConvertible { let description = "no chair" }
        let life = Journal<String>()
        try await withLoopbackServer { _ in
            .respond()
        } _: { server in
            let good = "services:\n\(Self.push(server, "one"))"
            let broken = """
                \(good.replacing("/one'", with: "/other'"))  - reporters.LivelyReporter: $listener

                """
            try await MasterBench.with(
                good + Self.steps, plugins: [LivelyReporter.self],
                listener: { what in
                    life.add(what)
                    if what.hasSuffix("starts") { throw Broken() }
                }
            ) { bench in
                try await bench.run { master in
                    let error = await #expect(throws: MasterError.self) {
                        try await reconfigure(master, bench, broken + Self.steps)
                    }
                    #expect(
                        error?.message
                            == "reporters.LivelyReporter in line 3 could not start: no chair")
                    _ = try await master.build()
                    await server.waitForRequests(2)
                    #expect(master.environment.number == 1)
                    _ = try await master.drain(for: .seconds(5))
                }
                #expect(server.requests.map(\.target) == ["/one", "/one"])
                #expect(
                    life.entries == [
                        "reporters.LivelyReporter starts", "reporters.LivelyReporter stops",
                    ])
            }
        }
    }

    @Test func `a store that fails in the middle changes nothing`() async throws {
        try await withLoopbackServer { _ in
            .respond()
        } _: { server in
            let (one, two) = (Self.push(server, "one"), Self.push(server, "two"))
            try await MasterBench.with("services:\n\(one)\(Self.steps)") { bench in
                try await bench.run { master in
                    try await master.environment.store.write { transaction in
                        try transaction.database.run(
                            """
                            CREATE TRIGGER full BEFORE INSERT ON reporter WHEN NEW.name = 'two'
                            BEGIN SELECT RAISE(ABORT, 'no room'); END
                            """)
                    }
                    let elsewhere = one.replacing("/one'", with: "/other'")
                    let error = await #expect(throws: StoreError.self) {
                        try await reconfigure(
                            master, bench, "services:\n\(elsewhere)\(two)\(Self.steps)")
                    }
                    #expect(error?.message == "a record could not be kept: no room")
                    #expect(master.environment.number == 1)
                    _ = try await master.build()
                    await server.waitForRequests(2)
                    let summary = try await master.drain(for: .seconds(10))
                    #expect(summary.deliveredCount == 2 && summary.openCount == 0)
                }
                #expect(server.requests.map(\.target) == ["/one", "/one"])
            }
        }
    }

    @Test func `what is declared as before keeps its plugins`() async throws {
        let life = Journal<String>()
        let yaml = """
            services:
              - reporters.LivelyReporter: $listener
              - services.Sitter: $listener
            """
        try await MasterBench.with(
            "\(yaml)\n\(Self.steps)", plugins: [LivelyReporter.self, Sitter.self],
            listener: { life.add($0) }
        ) { bench in
            try await bench.run { master in
                await life.wait(for: 2)
                let changes = try await reconfigure(
                    master, bench,
                    """
                    # The same in another place, and another builder.
                    builders: [{name: other, steps: [steps.SetProperty: {property: q, value: 2}]}]
                    services:

                      - services.Sitter: $listener
                      - reporters.LivelyReporter:
                          $listener
                    """)
                #expect(changes.reporters.unchanged == ["LivelyReporter"])
                #expect(changes.services.unchanged == ["Sitter"])
                #expect(changes.builders.added == ["other"])
                #expect(changes.builders.removed == ["default"])
                let builds = try await master.build()
                #expect(builds.map(\.builder) == ["other"])
                #expect(builds.first?.build.properties["q"] == .int(2))
                let changed = try await reconfigure(
                    master, bench,
                    "services: [services.Sitter: {script: $listener, at: 1}]\n\(Self.steps)")
                #expect(changed.services.changed == ["Sitter"])
                #expect(changed.reporters.removed == ["LivelyReporter"])
                await life.wait(for: 5)
            }
        }
        #expect(life.entries.count == 6)
        #expect(
            life.entries.prefix(3) == [
                "reporters.LivelyReporter starts", "sits at 0", "stands up from 0",
            ])
        #expect(
            Set(life.entries.dropFirst(3)) == [
                "reporters.LivelyReporter stops", "sits at 1", "stands up from 1",
            ])
    }

    @Test func `a build keeps the steps that it began with, and their plugins stop after it`()
        async throws
    {
        let life = Journal<String>()
        let gate = Journal<String>()
        let old = "steps: [steps.Play: $wait, steps.LivelyStep: $listener]\n"
        try await MasterBench.with(
            old,
            scripts: [
                "wait": { _ in
                    life.add("waits")
                    await gate.wait(for: 1)
                    return .success
                }
            ], plugins: [LivelyStep.self], listener: { life.add($0) }
        ) { bench in
            let builds = try await bench.run { master in
                async let builds = master.build()
                await life.wait(for: 2)
                _ = try await reconfigure(master, bench, Self.steps)
                #expect(life.entries == ["steps.LivelyStep starts", "waits"])
                gate.add("open")
                let first = try await builds
                #expect(
                    await life.wait(for: 4).suffix(2)
                        == ["steps.LivelyStep runs", "steps.LivelyStep stops"])
                return first + (try await master.build())
            }
            #expect(builds.map(\.steps.count) == [2, 1])
            #expect(builds.map(\.build.results) == [.success, .success])
        }
    }

    @Test(arguments: [
        ("command: echo 1", "command: echo 2"), ("tags: [a]", "tags: [b]"),
        ("workdir: one", "workdir: two"), ("env: {A: 1}", "env: {A: 2}"),
        ("maxTime: 1m", "maxTime: 2m"), ("properties: {a: 1}", "properties: {a: 2}"),
    ])
    func `a builder counts as changed if it builds in another way`(
        _ before: String, _ after: String
    ) async throws {
        let yaml = """
            builders:
              - name: one
                tags: [a]
                workdir: one
                env: {A: 1}
                maxTime: 1m
                properties: {a: 1}
                steps: [steps.ShellCommand: {command: echo 1}]
              - {name: two, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            try await bench.run { master in
                let same = try await reconfigure(master, bench, "# The same.\n" + yaml)
                #expect(same.builders.unchanged == ["one", "two"])
                let other = yaml.replacing(before, with: after)
                let changes = try await reconfigure(master, bench, other)
                #expect(changes.builders.changed == ["one"])
                #expect(changes.builders.unchanged == ["two"])
            }
        }
    }

    @Test func `other values of secrets are used, and hidden beside those before`() async throws {
        try await withLoopbackServer { _ in
            .respond()
        } _: { server in
            let yaml = """
                secrets: [secrets.File: {directory: keys}]
                services:
                  - reporters.HttpStatusPush:
                      serverUrl: \(server.url)
                      headers: {X-Key: !Secret key}
                steps: [steps.ShellCommand: echo one-old-value two-new-value]
                """
            try await MasterBench.with(yaml) { bench in
                try FileManager.default.createDirectory(
                    atPath: bench.folder + "/keys", withIntermediateDirectories: true)
                try writeKey("one-old-value", bench)
                let builds = try await bench.run { master in
                    _ = try await master.build()
                    await server.waitForRequests(2)
                    try writeKey("two-new-value", bench)
                    let changes = try await reconfigure(master, bench, yaml)
                    #expect(changes.reporters.unchanged == ["HttpStatusPush"])
                    #expect(changes.builders.unchanged == ["default"])
                    let builds = try await master.build()
                    await server.waitForRequests(4)
                    _ = try await master.drain(for: .seconds(5))
                    return builds
                }
                let keys = server.requests.map { $0.values(of: "X-Key").first }
                #expect(
                    keys == ["one-old-value", "one-old-value", "two-new-value", "two-new-value"])
                let log = try bench.log("stdio", of: try #require(builds.first))
                #expect(log.contains("o<key> <key>"))
            }
        }
    }

    private func writeKey(_ value: String, _ bench: MasterBench) throws {
        try bench.write(value, to: "keys/key")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: bench.folder + "/keys/key")
    }

    @Test func `settings that can't change while a master runs are named`() async throws {
        try await MasterBench.with(Self.steps) { bench in
            try await bench.run { master in
                let yaml = "delivery: {durability: power}\n\(Self.steps)"
                for yaml in [yaml, "title: other\n" + yaml] {
                    let changes = try await reconfigure(master, bench, yaml)
                    #expect(changes.afterRestart == ["delivery.durability"])
                }
                let changes = try await reconfigure(master, bench, Self.steps)
                #expect(changes.afterRestart == [])
            }
        }
    }
}

/// A service that runs until it is stopped.
private struct Sitter: MasterService {
    static let summary = "Sits."

    @Setting("Who is told.", .primary) var script: String
    @Setting("Where it sits.") var at = 0

    func run(in context: ServiceContext) async throws {
        try await Scripts.all.note(script, "sits at \(at)")
        do {
            try await Task.sleep(for: .seconds(3600))
        } catch {
            try await Scripts.all.note(script, "stands up from \(at)")
        }
    }
}
