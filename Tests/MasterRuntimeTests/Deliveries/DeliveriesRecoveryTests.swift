import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeliveriesRecoveryTests {
    @Test func `what a crash leaves on its way is sent again with its id and bytes`() async throws {
        try await DeliveriesBench.with { bench in
            let sent = Journal<String>()
            let stuck = ScriptedReporter { report, context in
                sent.add("\(context.id) \(context.attempt) \(report.body)")
                try await hang()
            }
            let again = Journal<String>()
            let other = ScriptedGenerator { _ in .saying("made after the crash") }
            let reporter = ScriptedReporter(generators: [other]) { report, context in
                again.add("\(context.id) \(context.attempt) \(report.body)")
            }
            try await bench.running(stuck) { _ in
                try await bench.happen("made before the crash", lane: 1)
                try await bench.happen("and another", lane: 2)
                await sent.wait(for: 2)
                try await DeliveriesBench.with(copyOf: bench) { copy in
                    try await copy.running(reporter) { await $0.drain(for: .seconds(10)) }
                }
            }
            #expect(again.entries.sorted() == sent.entries.sorted())
            #expect(again.entries.contains { $0.contains("made before the crash") })
        }
    }

    @Test func `an event that was stored before a crash is reported after it`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            _ = try await bench.open(ScriptedReporter())
            try await bench.happen("start")
            try await DeliveriesBench.with(copyOf: bench) { copy in
                try await copy.running(ScriptedReporter(into: journal)) { deliveries in
                    await deliveries.drain(for: .seconds(10))
                    let summary = try await deliveries.summary().deliveries
                    #expect(summary.map(\.isFromEarlierRun) == [true])
                }
            }
            #expect(journal.entries == ["start"])
        }
    }

    @Test func `what was made of an event before a crash stands`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                for text in ["one", "two", "three"] { try await bench.happen(text) }
                await deliveries.drain(for: .seconds(10))
            }
            try await bench.store.write { try $0.database.run("UPDATE reporter SET cursor = 1") }
            let other = ScriptedGenerator { _ in .saying("made again") }
            let reporter = ScriptedReporter(generators: [other]) { report, _ in
                journal.add(report.text)
            }
            try await bench.running(reporter) { await $0.drain(for: .seconds(10)) }
            #expect(journal.entries == ["one", "two", "three"])
            #expect(try await bench.value("SELECT cursor FROM reporter") == 3)
        }
    }

    @Test func `what a run leaves open the next one sends at once`() async throws {
        try await DeliveriesBench.with { bench in
            let failing = ScriptedReporter { _, _ in throw DeliveryFault("nothing listens") }
            try await bench.running(failing) { deliveries in
                try await bench.happen("start")
                try await bench.happen("end", kind: .buildFinished)
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.state) == [.open, .open])
                #expect(summary.map(\.attempts) == [1, 0])
                #expect(summary.first?.error == "nothing listens")
                #expect(summary.first?.nextTry != nil)
            }
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                try await bench.happen("of the next run")
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.isFromEarlierRun) == [false, true, true])
                #expect(summary.map(\.attempts) == [1, 2, 1])
            }
            #expect(journal.entries == ["start", "end", "of the next run"])
        }
    }

    @Test func `what was delivered is not told again by the next run`() async throws {
        try await DeliveriesBench.with { bench in
            try await bench.running(ScriptedReporter()) { deliveries in
                try await bench.happen("start")
                await deliveries.drain(for: .seconds(4))
            }
            try await bench.running(ScriptedReporter()) { deliveries in
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.isEmpty)
            }
            #expect(try await bench.value("SELECT count(report) FROM delivery") == 0)
        }
    }

    @Test func `reports of a reporter that is configured no more are parked`() async throws {
        try await DeliveriesBench.with { bench in
            let failing = ScriptedReporter("old") { _, _ in throw DeliveryFault("away") }
            try await bench.running(failing) { deliveries in
                try await bench.happen("kept")
                await deliveries.drain(for: .seconds(4))
            }
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter("new", into: journal)) { deliveries in
                try await bench.happen("for the new one")
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.reporter) == ["new", "old"])
                #expect(summary.map(\.state) == [.delivered, .parked])
            }
            #expect(journal.entries == ["for the new one"])
            try await bench.running(ScriptedReporter("old", into: journal)) { deliveries in
                try await bench.happen("for the old one")
                await deliveries.drain(for: .seconds(4))
            }
            #expect(journal.entries == ["for the new one", "kept", "for the old one"])
        }
    }

    @Test func `a stored report that cannot be read is dead`() async throws {
        try await DeliveriesBench.with { bench in
            let failing = ScriptedReporter { _, _ in throw DeliveryFault("away") }
            try await bench.running(failing) { deliveries in
                try await bench.happen("damaged")
                try await bench.happen("whole")
                await deliveries.drain(for: .seconds(4))
            }
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET report = '{' WHERE event_seq = 1")
            }
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.state) == [.dead, .delivered])
                #expect(summary.first?.error?.hasPrefix("the stored report cannot be") == true)
            }
            #expect(journal.entries == ["whole"])
        }
    }

    @Test func `a store that fails ends the sending with a sentence`() async throws {
        try await DeliveriesBench.with { bench in
            let reporter = ScriptedReporter { _, _ in
                await bench.store.post { _ in throw DeliveryFault("the disk is gone") }
                await bench.store.waitForEnd()
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                await deliveries.drain(for: .seconds(4))
            }
            let errors = bench.messages.texts(at: .error)
            #expect(errors.contains { $0.hasPrefix("sending has stopped for scripted") })
        }
    }

    @Test func `the time that a receiver asked for holds in the next run, until a person retries`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            let busy = ScriptedReporter { _, _ in
                throw DeliveryError(.retry(after: .seconds(600)), "busy", status: 503)
            }
            try await bench.running(busy) { deliveries in
                try await bench.happen("start")
                await deliveries.drain(for: .seconds(1))
            }
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                await deliveries.drain(for: .seconds(4))
            }
            #expect(journal.entries == [])
            try await DeliveryAdmin.with(folder: bench.folder) { admin in
                let counts = try await admin?.retry(DeliveryFilter())
                #expect(counts?.map(\.count) == [1])
            }
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                await deliveries.drain(for: .seconds(4))
            }
            #expect(journal.entries == ["start"])
        }
    }
}
