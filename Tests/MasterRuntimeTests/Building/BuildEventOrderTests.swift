import MasterKit
import MasterRuntime
import Testing

/// The order of a build's events.
struct BuildEventOrderTests {
    @Test func `a build of two steps is told in order`() async throws {
        let scripts: [String: Scripts.Script] = [
            "set": { context in
                try await context.setProperty("version", to: "1.10")
                return .success
            },
            "log": { context in
                try await context.openLog("out").line("hello")
                return .success
            },
        ]
        try await MasterBench.with("steps: [steps.Play: $set, steps.Play: $log]", scripts: scripts)
        { bench in
            // A file grows beside what is told of its lines, but before the end of its log.
            let all = try await bench.events()
            let grown = all.firstIndex { $0.kind == .logGrown } ?? 0
            #expect(all[..<grown].contains { $0.kind == .logNew })
            #expect(all[grown...].contains { $0.kind == .logFinished })
            let events = all.filter { $0.kind != .logGrown }
            #expect(
                events.map(\.kind.rawValue) == [
                    "buildset.new", "buildrequest.new", "buildrequest.claimed", "build.new",
                    "step.new", "step.started", "properties.updated", "step.finished",
                    "step.new", "step.started", "log.new", "log.appended", "log.finished",
                    "step.finished", "build.finished", "buildrequest.finished",
                    "buildset.finished",
                ])
            let content = events.first { $0.kind == .logAppended }?.record["content"]
            #expect(content == "ohello\n")
        }
    }

    @Test func `builds that are stopped and retried have one end for each start`() async throws {
        let scripts: [String: Scripts.Script] = [
            "lose": { _ in throw WorkerLost(worker: "local", reason: "gone") }
        ]
        try await MasterBench.with("steps: [steps.Play: $lose]", scripts: scripts) { bench in
            let events = try await bench.events(of: [
                .buildNew, .buildFinished, .buildrequestUnclaimed, .buildrequestClaimed,
                .buildrequestFinished,
            ])
            let build = [
                "buildrequest.claimed", "build.new", "build.finished",
            ]
            let again = build + ["buildrequest.unclaimed"]
            #expect(
                events.map(\.kind.rawValue)
                    == again + again + build + ["buildrequest.finished", "buildset.finished"])
        }
    }

    @Test func `the start tells the properties and the end tells the truth`() async throws {
        try await MasterBench.with("steps: [steps.Give: failure]") { bench in
            let events = try await bench.events(of: [.buildNew, .buildFinished])
            let (start, end) = (events[0], events[1])
            for name in [
                "buildername", "buildnumber", "workername", "basedir", "builddir", "scheduler",
            ] {
                #expect(start.property(name) != nil, "\(name)")
            }
            #expect(start.results == nil)
            #expect(end.results == .failure)
            #expect(end.record["buildrequest"]?["results"] == 2)
            #expect(end.record["buildset"]?["results"] == 2)
            #expect(end.record["buildset"]?["complete"] == true)
        }
    }
}
