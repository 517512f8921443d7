import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeliveriesSummaryTests {
    /// Submits a request for the builder `default` and starts its build.
    private static func begin(in store: Store) async throws -> Build {
        try await store.write { transaction in
            let builder = try transaction.builder(named: "default", description: nil, tags: [])
            let submission = try transaction.submit(
                Buildset(id: 0, reason: "test", submittedAt: transaction.now), builders: [builder],
                properties: Properties())
            let build = try transaction.claim(
                submission.requests[0].id, builder: builder,
                workerID: try transaction.worker(named: "local"))
            try transaction.announce(build)
            return build
        }
    }

    private static func finish(_ build: Build, in store: Store) async throws {
        _ = try await store.write { transaction in
            try transaction.finishBuild(
                build.id, results: .warnings, stateString: "warnings", properties: Properties())
        }
    }

    @Test func `deliveries say which build they are about`() async throws {
        try await DeliveriesBench.with { bench in
            try await bench.running(ScriptedReporter("push")) { deliveries in
                let build = try await Self.begin(in: bench.store)
                try await Self.finish(build, in: bench.store)
                await deliveries.drain(for: .seconds(10))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.subject) == ["default #1 started", "default #1 warnings"])
                #expect(summary.map(\.reporter) == ["push", "push"])
                #expect(summary.map(\.isFromEarlierRun) == [false, false])
            }
        }
    }

    @Test func `a report that the reporter does not send is shown as such, and kept no longer`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let reporter = ScriptedReporter("push") { report, _ in
                journal.add(report.text)
                if journal.entries.count == 1 {
                    throw DeliveryError(.nothingToSend, "the room is not told of this")
                }
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("first")
                try await bench.happen("second")
                await deliveries.drain(for: .seconds(10))
                let summary = try await deliveries.summary()
                #expect(summary.deliveries.map(\.state) == [.nothing, .delivered])
                #expect(
                    summary.deliveries.map(\.error) == ["the room is not told of this", nil])
                #expect((summary.deliveredCount, summary.nothingCount) == (1, 1))
                #expect(summary.totalCount == 2)
            }
            #expect(journal.entries == ["first", "second"])
            #expect(bench.messages.texts(at: .warning).isEmpty)
        }
    }

    private static let subjects: [(EventKind, JSONObject, String)] = [
        (.stepStarted, ["name": "unit tests"], "default #1 unit tests started"),
        (.stepFinished, ["name": "unit tests", "results": 2], "default #1 unit tests failure"),
        (.buildrequestNew, [:], "default request 1 new"),
        (.buildrequestCancelled, [:], "default request 1 cancelled"),
        (.buildsetFinished, ["results": 1], "buildset 7 warnings"),
    ]

    @Test(arguments: subjects)
    func `each kind of event is said in words`(
        kind: EventKind, record: JSONObject, subject: String
    ) async throws {
        try await DeliveriesBench.with { bench in
            let build = try await Self.begin(in: bench.store)
            let reporter = ScriptedReporter(generators: [
                ScriptedGenerator([kind]) { _ in
                    Report(body: .empty)
                }
            ])
            try await bench.running(reporter) { deliveries in
                try await bench.store.write { transaction in
                    try transaction.append(
                        Event(
                            at: transaction.now, kind: kind,
                            lane: kind.record == .buildset ? -7 : build.requestID,
                            buildID: kind.record == .step ? build.id : nil, record: record)
                    )
                }
                await deliveries.drain(for: .seconds(10))
                #expect(try await deliveries.summary().deliveries.map(\.subject) == [subject])
            }
        }
    }

    @Test func `the end of a build that a crash left is of an earlier run`() async throws {
        try await DeliveriesBench.with { bench in
            bench.store.storeEvents(of: [.buildNew])
            let build = try await Self.begin(in: bench.store)
            try await bench.running(ScriptedReporter("push")) { deliveries in
                try await Self.finish(build, in: bench.store)
                await deliveries.drain(for: .seconds(10))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.subject) == ["default #1 warnings"])
                #expect(summary.map(\.isFromEarlierRun) == [true])
            }
        }
    }
}
