import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Build requests: the order in which they are built, and what happens to them when a master
/// crashes.
struct RequestTests {
    @Test func `the higher priority comes first, then the older request`() async throws {
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $hold]}
              - {name: two, steps: []}
              - {name: three, steps: []}
            """
        let (begun, release) = (Journal<Void>(), Signal())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                begun.add(())
                await release.wait()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let order = try await bench.run(slots: 1) { master in
                try await master.events.withSubscription(to: [.buildNew], bound: 10) { events in
                    let first = try await master.submit(
                        BuildsetRequest(builders: ["one"], reason: "holds the slot"))
                    await begun.wait(for: 1)
                    var last = first
                    for (builder, priority) in [("two", 0), ("three", 0), ("two", 5)] {
                        last = try await master.submit(
                            BuildsetRequest(
                                builders: [builder], reason: "waits", priority: priority))
                    }
                    release.raise()
                    _ = try await master.endServices()
                    #expect(last.requests[0].priority == 5)
                    events.finish()
                    var order: [String] = []
                    for await case .event(let build) in events {
                        order.append(build.builderName ?? "")
                    }
                    return order
                }
            }
            #expect(order == ["one", "two", "two", "three"])
        }
    }

    @Test func `a builder builds one build at a time, and others go on meanwhile`() async throws {
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $count]}
              - {name: two, steps: [steps.Give: success]}
            """
        let running = ConcurrencyCount()
        let otherIsDone = Signal()
        let scripts: [String: Scripts.Script] = [
            "count": { _ in
                await running.counting {
                    await otherIsDone.wait()
                    otherIsDone.raise()
                }
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(slots: 4) { master in
                for _ in 1...3 {
                    _ = try await master.submit(BuildsetRequest(builders: ["one"], reason: "test"))
                }
                let other = try await master.build(["two"])
                #expect(other.map(\.build.results) == [.success])
                otherIsDone.raise()
                #expect(try await master.endServices().count == 3)
            }
            #expect(running.most == 1)
        }
    }

    // MARK: After a crash

    private static let yaml = """
        secrets: [secrets.Vault]
        builders:
          - {name: one, steps: [steps.Play: $hang]}
          - name: two
            steps:
              - steps.Play: {script: $read, name: !Interpolate "use %(secret:token)s"}
        """

    /// Leaves a build of `one` and a request for `two`, as if the process had been killed.
    ///
    /// - Returns: The base folder of the killed master.
    private func die(
        _ bench: MasterBench, resumes: Bool, begun: Journal<Void>,
        _ properties: JSONObject = [
            "key": ["Bearer s3cr3t-value", ["x": "plain"]], "plain": "text",
        ]
    ) async throws -> String {
        try await bench.run(slots: 1, resumes: resumes) { master in
            _ = try await master.submit(BuildsetRequest(builders: ["one"], reason: "hangs"))
            await begun.wait(for: 1)
            _ = try await master.submit(
                BuildsetRequest(
                    builders: ["two"], reason: "waits",
                    sourceStamps: [SourceStamp(repository: "https://s3cr3t-value@h/r.git")],
                    properties: Properties(properties, source: "test")))
            return try await bench.copy(of: master)
        }
    }

    @Test(arguments: [Results.success, .failure])
    func `what a builder needs is waited for after a restart, too`(results: Results) async throws {
        let yaml = """
            builders:
              - {name: two, needs: one, steps: [steps.Give: success]}
              - {name: one, steps: [steps.Play: $hang]}
            """
        let begun = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                begun.add(())
                if begun.entries.count > 1 { return results }
                try await neverEnd()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let folder = try await bench.run(slots: 2, resumes: true) { master in
                _ = try await master.submit(BuildsetRequest(reason: "test"))
                await begun.wait(for: 1)
                return try await bench.copy(of: master)
            }
            try await bench.run(slots: 2, resumes: true, basedir: folder) { master in
                await master.events.withSubscription(to: [.buildFinished], bound: 9) { events in
                    for await case .event(let build) in events where build.builderName == "two" {
                        #expect(build.results == (results == .success ? .success : .skipped))
                        break
                    }
                }
            }
        }
    }

    @Test func `stopping cancels what waits for other builders`() async throws {
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $hang]}
              - {name: two, needs: one, steps: [steps.Give: success]}
            """
        let begun = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                begun.add(())
                try await neverEnd()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run(slots: 2) { master in
                let submission = try await master.submit(BuildsetRequest(reason: "test"))
                await begun.wait(for: 1)
                await master.stop(reason: "enough")
                return try await master.wait(for: submission)
            }
            #expect(builds.map(\.builder) == ["one"])
            #expect(builds.map(\.build.results) == [.cancelled])
        }
    }

    private func scripts(
        begun: Journal<Void>, seen: Journal<JSONValue?>
    ) -> [String: Scripts.Script] {
        [
            "hang": { _ in
                begun.add(())
                if begun.entries.count > 1 { return .success }
                try await neverEnd()
                return .success
            },
            "read": { context in
                seen.add(context.properties["key"])
                seen.add(context.properties["repository"])
                return .success
            },
        ]
    }

    @Test func `a master that stays up builds what was pending, secrets included`() async throws {
        let (begun, seen) = (Journal<Void>(), Journal<JSONValue?>())
        try await MasterBench.with(
            Self.yaml, scripts: scripts(begun: begun, seen: seen), plugins: [Vault.self]
        ) { bench in
            let copy = try await die(bench, resumes: true, begun: begun)
            for file in ["buildmaster.sqlite", "buildmaster.sqlite-wal"] {
                let bytes = try bench.bytes("\(copy)/\(file)")
                #expect(!String(decoding: bytes, as: UTF8.self).contains("s3cr3t-value"))
            }
            try await bench.run(slots: 1, resumes: true, basedir: copy) { _ in
                _ = await seen.wait(for: 2)
            }
            #expect(begun.entries.count == 2)
            #expect(
                seen.entries == [
                    ["Bearer s3cr3t-value", ["x": "plain"]], "https://s3cr3t-value@h/r.git",
                ])
        }
    }

    @Test func `what was made from a secret is not stored, and ends the request as exception`()
        async throws
    {
        let (begun, seen) = (Journal<Void>(), Journal<JSONValue?>())
        try await MasterBench.with(
            Self.yaml, scripts: scripts(begun: begun, seen: seen), plugins: [Vault.self]
        ) { bench in
            let encoded = "czNjcjN0LXZhbHVl"  // the secret in base64
            let properties: JSONObject = ["key": ["s3cr3t-value", .string("Basic \(encoded)")]]
            let copy = try await die(bench, resumes: true, begun: begun, properties)
            for file in ["buildmaster.sqlite", "buildmaster.sqlite-wal"] {
                let text = String(decoding: try bench.bytes("\(copy)/\(file)"), as: UTF8.self)
                #expect(!text.contains("s3cr3t-value") && !text.contains(encoded))
            }
            #expect(try await endOfTwo(bench, basedir: copy).contains("never stored"))
            #expect(seen.entries.isEmpty)
        }
    }

    /// The state in which the builder `two` ends under the next master.
    private func endOfTwo(_ bench: MasterBench, basedir: String) async throws -> String {
        try await bench.run(slots: 1, resumes: true, basedir: basedir) { master in
            await master.events.withSubscription(to: [.buildFinished], bound: 9) { events in
                for await case .event(let build) in events where build.builderName == "two" {
                    #expect(build.results == .exception)
                    return build.record["state_string"]?.stringValue ?? ""
                }
                return ""
            }
        }
    }

    @Test func `requests with secrets are not built in place of others`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            builders:
              - name: one
                steps:
                  - steps.Play: {script: $read, name: !Interpolate "%(secret:token)s %(secret:short)s"}
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            try await bench.run(resumes: true) { master in
                master.submissions.distributor.hold()
                for value in ["s3cr3t-value", "1234567", "s3cr3t-value"] {
                    var request = BuildsetRequest(builders: ["one"], reason: "test")
                    request.properties.set("key", .string(value), source: "Scheduler")
                    _ = try await master.submitUnattended(request)
                }
                let pending = try await master.pendingCounts()
                #expect(pending == ["one": 3])
            }
        }
    }

    @Test func `a request whose secret is gone ends as exception`() async throws {
        let (begun, seen) = (Journal<Void>(), Journal<JSONValue?>())
        try await MasterBench.with(
            Self.yaml, scripts: scripts(begun: begun, seen: seen), plugins: [Vault.self]
        ) { bench in
            let copy = try await die(bench, resumes: true, begun: begun)
            try bench.write(
                "builders: [{name: one, steps: []}, {name: two, steps: [steps.Play: $read]}]")
            #expect(
                try await endOfTwo(bench, basedir: copy)
                    == "exception: the request needs the secret 'token', which master.yaml no longer "
                    + "has")
            #expect(seen.entries.isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `a run cancels what an interrupted run left, and only that`(
        _ wasStayingUp: Bool
    ) async throws {
        let (begun, seen) = (Journal<Void>(), Journal<JSONValue?>())
        try await MasterBench.with(
            Self.yaml, scripts: scripts(begun: begun, seen: seen), plugins: [Vault.self]
        ) { bench in
            let copy = try await die(bench, resumes: wasStayingUp, begun: begun)
            let builds = try await bench.run(slots: 1, basedir: copy) { master in
                try await master.build(["one"])
            }
            #expect(builds.map(\.build.results) == [.success])
            let text = "cancelled 1 build request that an interrupted run left pending"
            #expect(bench.messages.texts.contains(text) == !wasStayingUp)
            #expect(seen.entries.isEmpty)
        }
    }
}

extension MasterBench {
    /// The base folder as a kill would leave it now.
    func copy(of master: Master) async throws -> String {
        let copy = folder + "/copy"
        // A write that waits for its commit comes after everything posted before it.
        try await master.environment.store.write { _ in }
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        // The socket is of no use to the next master.
        for name in try FileManager.default.contentsOfDirectory(atPath: basedir)
        where name != ControlSocket.fileName {
            try FileManager.default.copyItem(
                atPath: "\(basedir)/\(name)", toPath: "\(copy)/\(name)")
        }
        return copy
    }
}
