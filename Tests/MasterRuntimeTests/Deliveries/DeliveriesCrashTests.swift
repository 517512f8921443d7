import MasterKit
import Testing

@testable import MasterRuntime

/// What an outbox does after a crash, simulated by copying its files while it runs.
@Suite(.timeLimit(.minutes(1)))
struct DeliveriesCrashTests {
    /// Repeatedly opens a copy of a store taken while its event is being processed, and passes the
    /// last copy to a closure.
    private static func crash(
        _ times: Int, on bench: DeliveriesBench,
        then last: (DeliveriesBench) async throws -> Void
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
            try await DeliveriesBench.with(copyOf: bench) { copy in
                try await crash(times - 1, on: copy, then: last)
            }
        }
    }

    /// The number of reports delivered in any run: the harmless event may have been reported in the
    /// first.
    private static let delivered = "SELECT count(*) FROM delivery WHERE state = 'delivered'"

    private static func prepare(_ bench: DeliveriesBench) async throws {
        _ = try await bench.open(ScriptedReporter())
        try await bench.happen("deadly", lane: 1)
        try await bench.happen("harmless", lane: 2)
    }

    @Test func `an event that brought the program down each time is given up, the others are not`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            try await Self.prepare(bench)
            // After the first crash, it is not known yet which event caused it.
            try await Self.crash(1 + CrashGuard.crashLimit, on: bench) { copy in
                let journal = Journal<String>()
                let deadly = ScriptedGenerator { event in
                    journal.add(event.record["text"]?.stringValue ?? "")
                    return .saying("fine")
                }
                try await copy.running(ScriptedReporter(generators: [deadly])) { deliveries in
                    await deliveries.drain(for: .seconds(4))
                    let summary = try await deliveries.summary()
                    #expect(summary.deadCount == 1)
                }
                #expect(try await copy.value(Self.delivered) == 1)
                #expect(journal.entries == ["harmless"])
                let reason: String? = try await copy.value(
                    "SELECT error FROM delivery WHERE state = 'dead'")
                #expect(
                    reason
                        == "the report could not be generated: the program crashed 3 times in a "
                        + "row while generating it")
                #expect(try await copy.value("SELECT crashes FROM reporter") == 0)
                #expect(try await copy.value("SELECT count(suspect_seq) FROM reporter") == 0)
            }
        }
    }

    @Test func `after one crash the event is tried again, with nothing beside it`() async throws {
        try await DeliveriesBench.with { bench in
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
                try await copy.running(ScriptedReporter(generators: [generator])) { deliveries in
                    await deliveries.drain(for: .seconds(4))
                    let summary = try await deliveries.summary()
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

    @Test func `who kills the program at that moment twice does not condemn the event`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            try await Self.prepare(bench)
            try await Self.crash(CrashGuard.crashLimit, on: bench) { copy in
                try await copy.running(ScriptedReporter()) { deliveries in
                    await deliveries.drain(for: .seconds(4))
                }
                #expect(try await copy.value(Self.delivered) == 2)
            }
        }
    }

    @Test func `crashes count in a row only`() async throws {
        let watch = CrashGuard(
            newestEvent: 9, suspicion: CrashSuspect(eventSequence: 7, crashes: 3))
        #expect(watch.rejects(7))
        #expect(!watch.rejects(8))
        try await DeliveriesBench.with { bench in
            _ = try await bench.open(ScriptedReporter())
            for sequence in [7, 7, 8, 7] {
                try await bench.store.write { try $0.suspect(sequence, of: 1) }
            }
            #expect(try await bench.value("SELECT crashes FROM reporter") == 1)
            try await bench.store.write { try $0.moveCursor(of: 1, to: 5, after: 6) }
            #expect(try await bench.value("SELECT crashes FROM reporter") == 1)
            try await bench.store.write { try $0.moveCursor(of: 1, to: 7, after: 7) }
            #expect(try await bench.value("SELECT crashes FROM reporter") == 0)
            #expect(try await bench.value("SELECT count(suspect_seq) FROM reporter") == 0)
        }
    }

    @Test func `an end without a crash counts nothing`() async throws {
        try await DeliveriesBench.with { bench in
            try await Self.prepare(bench)
            try await bench.running(ScriptedReporter()) { await $0.drain(for: .seconds(4)) }
            #expect(try await bench.value("SELECT crashes FROM reporter") == 0)
            #expect(
                try await bench.rows() == ["scripted 1.0 delivered 1", "scripted 2.0 delivered 1"])
        }
    }
}
