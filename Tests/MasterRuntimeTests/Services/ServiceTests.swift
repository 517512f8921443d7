import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What a service can do in addition to the master's builds.
struct ServiceTests {
    @Test func `it reads what happens from the first build on, until the master shuts down`()
        async throws
    {
        let seen = Journal<String>()
        try await MasterBench.with(
            """
            services: [services.Watcher: $listener]
            steps: [steps.SetProperty: {property: p, value: 1}]
            """, plugins: [Watcher.self], listener: { seen.add($0) }
        ) { bench in
            _ = try await bench.buildOne()
        }
        #expect(
            seen.entries == [
                "begins", "buildset.new", "build.new", "build.finished", "buildset.finished",
                "ends",
            ])
    }

    @Test func `it submits builds, which end before the master does`() async throws {
        try await MasterBench.with(Self.chain, plugins: [Follower.self]) { bench in
            let builds = try await bench.run { master in
                try await master.build(["one"]) + (try await master.endServices())
            }
            #expect(builds.map(\.builder) == ["one", "two"])
            #expect(builds.map(\.build.results) == [.success, .success])
        }
    }

    @Test func `what it saves with builds is there in the next run`() async throws {
        try await MasterBench.with(Self.chain, plugins: [Follower.self]) { bench in
            for count in 1...3 {
                let builds = try await bench.run { master in
                    _ = try await master.build(["one"])
                    return try await master.endServices()
                }
                #expect(builds.first?.build.properties["count"] == .int(count))
            }
        }
    }

    @Test func `a master that stays up keeps nothing of builds that it submitted, once they ended`()
        async throws
    {
        try await MasterBench.with(Self.chain, plugins: [Follower.self]) { bench in
            try await bench.run(resumes: true) { master in
                try await master.events.withSubscription(
                    to: [.buildsetFinished], bound: 10
                ) { events in
                    _ = try await master.build(["one"])
                    var ends = 0
                    for await _ in events {
                        ends += 1
                        if ends == 2 { break }
                    }
                    #expect(master.submissions.count == 0)
                }
            }
        }
    }

    @Test func `builds that it submits after the end of the builds are refused`() async throws {
        try await MasterBench.with(Self.chain, plugins: [Follower.self]) { bench in
            let kept = try await bench.run { $0 }
            let error = await #expect(throws: StoreError.self) {
                try await kept.submit(BuildsetRequest(builders: ["one"], reason: "late"))
            }
            #expect(error?.code == .closed)
        }
    }

    @Test func `one that fails is started again, and its failure is told`() async throws {
        let seen = Journal<String>()
        try await MasterBench.with(
            """
            services: [services.Stumbler: $listener]
            steps: [steps.SetProperty: {property: p, value: 1}]
            """, plugins: [Stumbler.self], listener: { seen.add($0) }
        ) { bench in
            try await bench.run { master in
                await seen.wait(for: 2)
                _ = try await master.build()
            }
            #expect(
                bench.messages.texts.contains("Stumbler failed and restarts in 1 s: tripped"))
        }
        #expect(seen.entries.prefix(3) == ["try 1", "try 2", "build.finished"])
    }

    @Test func `one that goes on by itself is cancelled`() async throws {
        let seen = Journal<String>()
        try await MasterBench.with(
            """
            services: [services.Ticker: $listener]
            steps: []
            """, plugins: [Ticker.self], listener: { seen.add($0) }
        ) { bench in
            _ = try await bench.buildOne()
        }
        #expect(seen.entries == ["cancelled"])
    }

    @Test func `what it and a step log says whose it is`() async throws {
        try await MasterBench.with(
            """
            services: [services.Speaker: {name: first}]
            builders: [{name: one, steps: [steps.SpeakingStep: {name: say}]}]
            """, plugins: [Speaker.self, SpeakingStep.self]
        ) { bench in
            _ = try await bench.buildOne()
            #expect(bench.messages.lines.contains("hello (service=first)"))
            #expect(bench.messages.lines.contains("hello (build=one #1, step=say)"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `one that ignores that it is cancelled is left behind, which is told`() async throws {
        try await MasterBench.with(
            "services: [services.Sleeper]\nsteps: []", plugins: [Sleeper.self]
        ) { bench in
            _ = try await bench.buildOne()
            #expect(
                bench.messages.texts.contains(
                    "Sleeper did not end when it was told to, and was left behind"))
        }
        Sleeper.end.set(())
    }

    @Test(.timeLimit(.minutes(1)))
    func `one that returns is told of, as it does not run again`() async throws {
        try await MasterBench.with(
            "services: [services.Speaker]\nsteps: []", plugins: [Speaker.self]
        ) { bench in
            let words = "Speaker has ended by itself and does not run again"
            try await bench.run { _ in
                while !bench.messages.texts.contains(words) { await Task.yield() }
            }
        }
    }

    @Test func `its requests go out, and its settings may be secrets`() async throws {
        try await withLoopbackServer { server in
            try await MasterBench.with(
                """
                secrets: [secrets.Vault]
                services:
                  - services.Pinger:
                      url: !Interpolate "http://127.0.0.1:\(server.port)/%(secret:token)s"
                steps: []
                """, plugins: [Pinger.self, Vault.self]
            ) { bench in
                _ = try await bench.buildOne()
            }
            #expect(server.requests.map(\.target) == ["/s3cr3t-value"])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a scheduler has requests, secrets and pauses, too, and tells what keeps it`() async throws
    {
        try await withLoopbackServer { _ in
            .text("", status: 503)
        } _: { server in
            try await MasterBench.with(
                """
                secrets: [secrets.Vault]
                schedulers:
                  - schedulers.Calendar:
                      name: days
                      builderNames: [one]
                      url: !Interpolate "http://127.0.0.1:\(server.port)/%(secret:token)s"
                builders: [{name: one, steps: []}]
                """, plugins: [Calendar.self, Vault.self]
            ) { bench in
                try await bench.run(resumes: true) { master in
                    await server.waitForRequests(2)
                    let scheduler = try await master.status()["schedulers"]?[0]
                    #expect(scheduler?["problem"] == "the calendar answers 503")
                }
                #expect(server.requests.first?.target == "/s3cr3t-value")
                #expect(bench.messages.texts.contains("days: the calendar answers 503"))
            }
        }
    }

    private static let chain = """
        services: [services.Follower]
        builders:
          - {name: one, steps: []}
          - {name: two, triggeredOnly: true, steps: []}
        """
}

/// A service that notifies a script of the events it reads.
private struct Watcher: MasterService {
    static let summary = "Tells what happens."

    @Setting("Who is told.", .primary) var script: String

    let wantedEvents: Set<EventKind> = [
        .buildsetNew, .buildNew, .buildFinished, .buildsetFinished,
    ]

    func run(in context: ServiceContext) async throws {
        try await Scripts.all.note(script, "begins")
        for await case .event(let event) in context.events {
            try await Scripts.all.note(script, event.kind.rawValue)
        }
        try await Scripts.all.note(script, "ends")
    }
}

/// A service that builds `two` after `one`, and counts how often.
private struct Follower: MasterService {
    static let summary = "Builds one builder after another."

    let wantedEvents: Set<EventKind> = [.buildFinished]

    func run(in context: ServiceContext) async throws {
        for await case .event(let build) in context.events where build.builderName == "one" {
            let count = (try await context.state()?.intValue ?? 0) + 1
            let request = BuildsetRequest(
                builders: ["two"], reason: "one has ended",
                properties: Properties(["count": .int(count)], source: "Follower"))
            try await context.submit(request, saving: .int(count))
        }
    }
}

/// A service that fails on the first attempt.
private struct Stumbler: MasterService {
    struct Tripped: Error, CustomStringConvertible {
        let description = "tripped"
    }

    static let summary = "Fails once."

    @Setting("Who is told.", .primary) var script: String

    let wantedEvents: Set<EventKind> = [.buildFinished]

    func run(in context: ServiceContext) async throws {
        let count = (try await context.state()?.intValue ?? 0) + 1
        try await context.save(.int(count))
        try await Scripts.all.note(script, "try \(count)")
        if count == 1 { throw Tripped() }
        for await case .event(let event) in context.events {
            try await Scripts.all.note(script, event.kind.rawValue)
        }
    }
}

/// A service that does not end by itself.
private struct Ticker: MasterService {
    static let summary = "Goes on and on."

    @Setting("Who is told.", .primary) var script: String

    func run(in context: ServiceContext) async throws {
        do {
            while true { try await context.sleep(for: .seconds(3600)) }
        } catch is CancellationError {
            try await Scripts.all.note(script, "cancelled")
        }
    }
}

/// A service that sends one request.
private struct Pinger: MasterService {
    static let summary = "Sends a request."

    @Setting("Where to.", .primary) var url: Renderable<String>

    let wantedEvents: Set<EventKind> = [.buildNew]

    func run(in context: ServiceContext) async throws {
        for await _ in context.events {
            _ = try await context.send(HTTPRequest(.get, try context.render(url)))
        }
    }
}

/// A service that logs a message and returns.
private struct Speaker: MasterService {
    static let summary = "Says hello."

    func run(in context: ServiceContext) async throws { context.logger.info("hello") }
}

/// A step that logs a message.
private struct SpeakingStep: Step {
    static let summary = "Says hello."

    func run(in context: StepContext) async throws -> Results {
        context.logger.info("hello")
        return .success
    }
}

/// A service that does not notice that it is cancelled.
private struct Sleeper: MasterService {
    static let summary = "Sleeps."

    static let end = MasterRuntime.Latch<Void>()

    func run(in context: ServiceContext) async throws {
        await Task { await Self.end.wait() }.value
    }
}

/// A scheduler that asks another service.
private struct Calendar: Scheduler {
    static let summary = "Asks a calendar."

    @Setting("Where to ask.") var url: Renderable<String>

    func run(in context: SchedulerContext) async throws {
        while true {
            let answer = try await context.send(HTTPRequest(.get, try context.render(url)))
            context.problem = answer.isSuccess ? nil : "the calendar answers \(answer.status)"
            try await context.sleep(for: .milliseconds(1))
        }
    }
}
