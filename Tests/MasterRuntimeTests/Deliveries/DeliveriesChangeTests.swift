import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What commands and reconfigurations change while reports are made and sent.
@Suite(.timeLimit(.minutes(1)))
struct DeliveriesChangeTests {
    @Test func `a report that is dropped while a try fails is neither told of nor tried again`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            let (begun, gate) = (Journal<Int>(), Journal<Void>())
            let reporter = ScriptedReporter { _, context in
                begun.add(context.attempt)
                await gate.wait(for: 1)
                throw DeliveryFault("nothing listens")
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                await begun.wait(for: 1)
                try await DeliveryAdmin.with(folder: bench.folder) { admin in
                    let count = try await admin?.drop(DeliveryFilter())
                    #expect(count == 1)
                }
                gate.add(())
                await deliveries.drain(for: .seconds(30), isPatient: true)
                #expect(try await deliveries.summary().deadCount == 0)
            }
            #expect(begun.entries == [1])
            #expect(try await bench.rows() == [])
            #expect(bench.messages.texts(at: .warning).isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `a change that was read before a try landed does not send its report again`(
        isTaken: Bool
    ) async throws {
        try await DeliveriesBench.with { bench in
            let (begun, gate) = (Journal<Int>(), Journal<Void>())
            let reporter = ScriptedReporter { _, context in
                begun.add(context.attempt)
                await gate.wait(for: 1)
                if !isTaken { throw DeliveryError(.reject, "no") }
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                await begun.wait(for: 1)
                let open = try await bench.store.read { try $0.openDeliveries(ofReporter: 1) }
                #expect(open.count == 1)
                gate.add(())
                let tally = deliveries.environment.tally
                while tally.delivered + tally.dead == 0 { await Task.yield() }
                let changes = DeliveryChanges(open: open, closed: [], isReporterClosed: false)
                deliveries.pipelines.first?.sender.take(changes)
                await deliveries.drain(for: .seconds(10))
                #expect(tally.delivered + tally.dead == 1)
            }
            #expect(begun.entries == [1])
            let state = isTaken ? "delivered" : "dead"
            #expect(try await bench.rows() == ["scripted 1.0 \(state) 1"])
            #expect(bench.messages.texts(at: .warning).count == (isTaken ? 0 : 1))
        }
    }

    @Test func `a generator that does not heed the end of its reporter makes nothing after it`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            _ = try await bench.open(ScriptedReporter())
            try await bench.happen("start")
            // After a crash the first event is worked on alone.
            try await DeliveriesBench.with(copyOf: bench) { copy in
                let (begun, gate, sent) = (Journal<Void>(), Journal<Void>(), Journal<String>())
                let old = ScriptedGenerator { _ in
                    begun.add(())
                    await gate.wait(for: 1)
                    return .saying("old")
                }
                let new = ScriptedReporter(
                    generators: [ScriptedGenerator { _ in .saying("new") }]
                ) { report, _ in sent.add(report.text) }
                try await copy.running(ScriptedReporter(generators: [old])) { deliveries in
                    await begun.wait(for: 1)
                    async let change: Void = deliveries.reconfigure(
                        [new.declaration], secrets: SecretValues(), identity: MasterIdentity(),
                        bounds: DeliveryBounds())
                    await copy.clock.waitForSleep(until: .seconds(1))
                    copy.clock.advance(by: .seconds(1))
                    try await change
                    gate.add(())
                    await sent.wait(for: 1)
                    await deliveries.drain(for: .seconds(10))
                }
                #expect(sent.entries == ["new"])
                #expect(try await copy.rows() == ["scripted 1.0 delivered 1"])
            }
        }
    }
}
