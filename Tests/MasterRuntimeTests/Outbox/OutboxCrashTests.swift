import FoundationEssentials
import MasterKit
import Testing

@testable import MasterRuntime

/// What an outbox does after the program has gone down: here its files are copied meanwhile.
@Suite(.timeLimit(.minutes(1)))
struct OutboxCrashTests {
    /// Opens copy after copy of a store, each as it is while the event is being worked on.
    ///
    /// - Returns: What is left after the last one.
    private static func crash(
        _ times: Int,
        on bench: OutboxBench,
        byFault isFault: Bool = true,
        then last: (OutboxBench) async throws -> Void
    ) async throws {
        guard times > 0 else { return try await last(bench) }
        let started = Journal<String>()
        let deadly = ScriptedGenerator { event in
            guard event.record["text"] == "deadly" else { return .saying("fine") }
            started.add("deadly")
            try await hang()
            return nil
        }
        try await bench.running(ScriptedReporter(generators: [deadly])) { _ in
            await started.wait(for: 1)
            try await OutboxBench.with(copyOf: bench) { copy in
                if isFault {
                    try Data("x".utf8).write(to: URL(filePath: copy.store.crashMarkPath))
                }
                try await crash(times - 1, on: copy, byFault: isFault, then: last)
            }
        }
    }

    /// What has arrived, in whichever run: the harmless event may have been reported in the first.
    private static let delivered = "SELECT count(*) FROM delivery WHERE state = 'delivered'"

    private static func prepare(_ bench: OutboxBench) async throws {
        _ = try await bench.open(ScriptedReporter())
        try await bench.happen("deadly", lane: 1)
        try await bench.happen("harmless", lane: 2)
    }

    @Test func `an event that brought the program down twice is given up, the others are not`()
        async throws
    {
        try await OutboxBench.with { bench in
            try await Self.prepare(bench)
            try await Self.crash(3, on: bench) { copy in
                let journal = Journal<String>()
                let deadly = ScriptedGenerator { event in
                    journal.add(event.record["text"]?.stringValue ?? "")
                    return .saying("fine")
                }
                try await copy.running(ScriptedReporter(generators: [deadly])) { outbox in
                    await outbox.drain(for: .seconds(4))
                    let summary = try await outbox.summary()
                    #expect(summary.deadCount == 1)
                }
                #expect(try await copy.value(Self.delivered) == 1)
                #expect(journal.entries == ["harmless"])
                let reason: String? = try await copy.value(
                    "SELECT error FROM delivery WHERE state = 'dead'"
                )
                let expected = "no report could be made: the program went down 2 times while it was"
                #expect(reason == expected)
            }
        }
    }

    @Test func `after one crash the event is tried again, with nothing beside it`() async throws {
        try await OutboxBench.with { bench in
            try await Self.prepare(bench)
            try await Self.crash(2, on: bench) { copy in
                let journal = Journal<String>()
                let generator = ScriptedGenerator { event in
                    let text = event.record["text"]?.stringValue ?? ""
                    journal.add("\(text) begins")
                    await Task.yield()
                    journal.add("\(text) ends")
                    return .saying(text)
                }
                try await copy.running(ScriptedReporter(generators: [generator])) { outbox in
                    await outbox.drain(for: .seconds(4))
                    let summary = try await outbox.summary()
                    #expect(summary.deadCount == 0)
                }
                #expect(
                    journal.entries == [
                        "deadly begins", "deadly ends", "harmless begins", "harmless ends",
                    ]
                )
                #expect(try await copy.value("SELECT crashes FROM reporter") == 0)
                let suspects = "SELECT count(suspect_seq) FROM reporter"
                #expect(try await copy.value(suspects) == 0)
            }
        }
    }

    @Test func `who kills the program at that moment does not condemn the event`() async throws {
        try await OutboxBench.with { bench in
            try await Self.prepare(bench)
            try await Self.crash(4, on: bench, byFault: false) { copy in
                try await copy.running(ScriptedReporter()) { outbox in
                    await outbox.drain(for: .seconds(4))
                }
                #expect(try await copy.value(Self.delivered) == 2)
            }
        }
    }

    @Test func `but what brings it down every time without a mark is given up, too`() async throws {
        let watch = CrashWatch(newestEvent: 9, suspicion: Suspicion(eventSequence: 7, crashes: 6))
        #expect(watch.condemns(7))
        #expect(!watch.condemns(8))
        let early = CrashWatch(newestEvent: 9, suspicion: Suspicion(eventSequence: 7, crashes: 5))
        #expect(!early.condemns(7))
    }

    @Test func `an end without a crash counts nothing`() async throws {
        try await OutboxBench.with { bench in
            try await Self.prepare(bench)
            try await bench.running(ScriptedReporter()) { await $0.drain(for: .seconds(4)) }
            #expect(try await bench.value("SELECT crashes FROM reporter") == 0)
            #expect(
                try await bench.rows() == ["scripted 1.0 delivered 1", "scripted 2.0 delivered 1"]
            )
        }
    }
}
