import MasterHTTP
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeliveriesDrainTests {
    @Test func `a drain with nothing to do is over at once`() async throws {
        try await DeliveriesBench.with { bench in
            try await bench.running(ScriptedReporter()) { await $0.drain(for: .seconds(10)) }
            #expect(try await bench.rows().isEmpty)
        }
    }

    @Test func `a drain waits for what is being made and sent`() async throws {
        try await DeliveriesBench.with { bench in
            let gate = Journal<Void>()
            let generator = ScriptedGenerator { _ in
                await gate.wait(for: 1)
                return .saying("late")
            }
            let reporter = ScriptedReporter(generators: [generator]) { _, _ in
                await gate.wait(for: 2)
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                async let drained: Void = deliveries.drain(for: .seconds(10))
                await bench.clock.waitForSleep(until: .seconds(10))
                gate.add(())
                gate.add(())
                await drained
            }
            #expect(try await bench.rows() == ["scripted 1.0 delivered 1"])
        }
    }

    @Test func `a drain breaks off a receiver that hangs when its time is over`() async throws {
        try await DeliveriesBench.with { bench in
            let started = Journal<String>()
            let stuck = ScriptedReporter { report, _ in
                started.add(report.text)
                try await hang()
            }
            try await bench.running(stuck) { deliveries in
                try await bench.happen("start")
                await started.wait(for: 1)
                async let drained: Void = deliveries.drain(for: .seconds(10))
                await bench.clock.waitForSleep(until: .seconds(10))
                bench.clock.advance(by: .seconds(10))
                await drained
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.state) == [.open])
                #expect(summary.map(\.error) == ["no answer before sending was stopped"])
                #expect(summary.map(\.attempts) == [1])
            }
        }
    }

    @Test func `a drain breaks off a generator that hangs, and its event is kept`() async throws {
        try await DeliveriesBench.with { bench in
            let started = Journal<Void>()
            let generator = ScriptedGenerator { _ in
                started.add(())
                try await hang()
                return nil
            }
            try await bench.running(ScriptedReporter(generators: [generator])) { deliveries in
                try await bench.happen("start")
                await started.wait(for: 1)
                await deliveries.drain(for: .zero)
            }
            #expect(try await bench.rows().isEmpty)
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                await deliveries.drain(for: .seconds(10))
            }
            #expect(journal.entries == ["start"])
        }
    }

    @Test func `a drain waits for a try that comes before its end`() async throws {
        try await DeliveriesBench.with { bench in
            let reporter = ScriptedReporter { _, context in
                if context.attempt == 1 { throw DeliveryFault("nothing listens") }
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                async let drained: Void = deliveries.drain(for: .seconds(6), isPatient: true)
                await bench.clock.waitForSleep(until: .seconds(2))
                bench.clock.advance(by: .seconds(2))
                await drained
            }
            #expect(try await bench.rows() == ["scripted 1.0 delivered 2"])
            #expect(
                bench.messages.texts == [
                    "a report of scripted was not delivered: nothing listens; it will be retried",
                    "reports of scripted are delivered again",
                ])
        }
    }

    @Test func `a drain does not wait for a try that comes after its end`() async throws {
        try await DeliveriesBench.with { bench in
            let reporter = ScriptedReporter { _, _ in throw DeliveryFault("nothing listens") }
            try await bench.running(reporter, ScriptedReporter("well")) { deliveries in
                for lane in 1...20 { try await bench.happen("\(lane)", lane: lane) }
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.filter { $0.state == .open }.count == 20)
                #expect(summary.filter { $0.state == .delivered }.count == 20)
            }
            #expect(bench.messages.texts(at: .warning).count == 1)
        }
    }

    @Test func `a drain does not wait for an endpoint that is gone`() async throws {
        try await DeliveriesBench.with { bench in
            let gone = ScriptedReporter { _, _ in throw DeliveryError(.endpointGone, "HTTP 410") }
            try await bench.running(gone) { deliveries in
                for number in 1...3 { try await bench.happen("\(number)") }
                await deliveries.drain(for: .seconds(10))
            }
            #expect(
                try await bench.rows() == [
                    "scripted 1.0 open 1", "scripted 2.0 open 0", "scripted 3.0 open 0",
                ]
            )
        }
    }

    @Test func `a reporter that does not heed the end is left behind`() async throws {
        try await DeliveriesBench.with { bench in
            let gate = Journal<Void>()
            let stubborn = ScriptedReporter { _, _ in
                gate.add(())
                await gate.wait(for: 2)
            }
            try await bench.running(stubborn) { deliveries in
                try await bench.happen("start")
                await gate.wait(for: 1)
                async let drained: Void = deliveries.drain(for: .zero)
                await bench.clock.waitForSleep(until: PluginCall.grace)
                bench.clock.advance(by: PluginCall.grace)
                await drained
            }
            #expect(try await bench.rows() == ["scripted 1.0 open 1"])
            gate.add(())
        }
    }

    @Test func `a drain that is cancelled ends the outbox`() async throws {
        try await DeliveriesBench.with { bench in
            let started = Journal<Void>()
            let stuck = ScriptedReporter { _, _ in
                started.add(())
                try await hang()
            }
            try await bench.running(stuck) { deliveries in
                try await bench.happen("start")
                await started.wait(for: 1)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask { await deliveries.drain(for: .seconds(10)) }
                    await bench.clock.waitForSleep(until: .seconds(10))
                    group.cancelAll()
                }
            }
            #expect(try await bench.rows() == ["scripted 1.0 open 1"])
        }
    }

    @Test func `that a receiver is away is said once, and once an hour what has expired`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxAge: .seconds(60))
            let reporter = ScriptedReporter { _, _ in throw DeliveryFault("away") }
            try await bench.running(reporter) { deliveries in
                for number in 1...3 {
                    try await bench.happen("start", lane: number)
                    while !(try await bench.rows().contains("scripted \(number).0 open 1")) {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    try await bench.store.write {
                        try $0.database.run("UPDATE delivery SET since = since - 3600")
                    }
                    try await deliveries.trim()
                    try await deliveries.takeChanges()
                    #expect(deliveries.problems == ["scripted": "away"])
                }
                bench.clock.advance(by: Deliveries.expiryInterval)
                try await deliveries.trim()
            }
            let end = " expired undelivered; 'deliveries list --state dead' tells why"
            #expect(
                bench.messages.texts(at: .warning) == [
                    "a report of scripted was not delivered: away; it will be retried",
                    "1 report" + end, "2 reports" + end,
                ])
        }
    }
}
