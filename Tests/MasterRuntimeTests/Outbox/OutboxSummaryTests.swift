import FoundationEssentials
import MasterKit
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct OutboxSummaryTests {
    /// Submits a request for the builder `default` and begins its build.
    private static func begin(in store: Store) async throws -> Build {
        try await store.write { transaction in
            let builder = try transaction.builder(named: "default", description: nil, tags: [])
            let submission = try transaction.submit(
                Buildset(id: 0, reason: "test", submittedAt: transaction.now),
                builders: [builder],
                properties: Properties()
            )
            let build = try transaction.claim(
                submission.requests[0].id,
                builder: builder,
                workerID: try transaction.worker(named: "local"),
                properties: Properties()
            )
            try transaction.announce(build)
            return build
        }
    }

    private static func finish(_ build: Build, in store: Store) async throws {
        _ = try await store.write { transaction in
            try transaction.finishBuild(
                build.id,
                results: .warnings,
                stateString: "warnings",
                properties: Properties()
            )
        }
    }

    @Test func `deliveries say which build they are about`() async throws {
        try await OutboxBench.with { bench in
            try await bench.running(ScriptedReporter("push")) { outbox in
                let build = try await Self.begin(in: bench.store)
                try await Self.finish(build, in: bench.store)
                await outbox.drain(for: .seconds(10))
                let summary = try await outbox.summary().deliveries
                #expect(summary.map(\.subject) == ["default #1 started", "default #1 warnings"])
                #expect(summary.map(\.reporter) == ["push", "push"])
                #expect(summary.map(\.isFromEarlierRun) == [false, false])
            }
        }
    }

    @Test func `the end of a build that a crash left is of an earlier run`() async throws {
        try await OutboxBench.with { bench in
            bench.store.storeEvents(of: [.buildNew])
            let build = try await Self.begin(in: bench.store)
            try await bench.running(ScriptedReporter("push")) { outbox in
                try await Self.finish(build, in: bench.store)
                await outbox.drain(for: .seconds(10))
                let summary = try await outbox.summary().deliveries
                #expect(summary.map(\.subject) == ["default #1 warnings"])
                #expect(summary.map(\.isFromEarlierRun) == [true])
            }
        }
    }
}
