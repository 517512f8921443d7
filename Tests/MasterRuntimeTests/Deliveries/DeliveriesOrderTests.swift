import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeliveriesOrderTests {
    @Test func `reports of one build request arrive in order`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let texts = (1...50).map { "report \($0)" }
            try await bench.running(ScriptedReporter(into: journal)) { _ in
                for text in texts { try await bench.happen(text) }
                #expect(await journal.wait(for: 50) == texts)
            }
        }
    }

    @Test func `reports of different build requests are in flight at once`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let reporter = ScriptedReporter { report, _ in
                journal.add(report.text)
                await journal.wait(for: 8)
            }
            try await bench.running(reporter) { deliveries in
                for lane in 1...8 { try await bench.happen("lane \(lane)", lane: lane) }
                await journal.wait(for: 8)
                await deliveries.drain(for: .seconds(10))
            }
            #expect(try await bench.rows() == (1...8).map { "scripted \($0).0 delivered 1" })
        }
    }

    @Test func `a report that waits for others is kept in the store only`() async throws {
        try await DeliveriesBench.with { bench in
            let (begun, journal) = (Journal<String>(), Journal<String>())
            let reporter = ScriptedReporter { report, _ in
                begun.add(report.text)
                await journal.wait(for: 1)
                journal.add(report.text)
            }
            try await bench.running(reporter) { _ in
                for lane in 1...8 { try await bench.happen("lane \(lane)", lane: lane) }
                await begun.wait(for: 8)
                try await bench.happen("lane 9", lane: 9)
                while try await bench.rows().count < 9 {}
                try await bench.store.write { transaction in
                    try transaction.database.run(
                        "UPDATE delivery SET report = replace(report, 'lane', 'stored')")
                }
                journal.add("go on")
                let texts = await journal.wait(for: 10)
                #expect(texts.filter { $0.hasPrefix("stored") } == ["stored 9"])
            }
        }
    }

    @Test func `a receiver that hangs for one request holds no other back`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let reporter = ScriptedReporter { report, _ in
                if report.text == "stuck" { try await hang() }
                journal.add(report.text)
            }
            try await bench.running(reporter) { _ in
                try await bench.happen("stuck", lane: 1)
                try await bench.happen("behind", lane: 1)
                for text in ["a", "b", "c"] { try await bench.happen(text, lane: 2) }
                #expect(await journal.wait(for: 3) == ["a", "b", "c"])
            }
        }
    }

    @Test func `of ten reporters one hangs, and the other nine deliver everything`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let well = (1...9).map { number in
                ScriptedReporter("well \(number)") { report, _ in
                    journal.add("\(number) \(report.text)")
                }
            }
            let stuck = ScriptedReporter("stuck") { _, _ in try await hang() }
            try await DeliveriesBench.run(try await bench.open([stuck] + well)) { _ in
                for text in ["start", "end"] {
                    for lane in 1...20 { try await bench.happen("\(lane) \(text)", lane: lane) }
                }
                let arrived = await journal.wait(for: 9 * 40)
                #expect(Set(arrived).count == 9 * 40)
            }
            let delivered = try await bench.rows().count { $0.contains(" delivered 1") }
            #expect(delivered == 9 * 40)
        }
    }

    @Test func `a reporter whose receiver hangs holds no other reporter back`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let stuck = ScriptedReporter("stuck") { _, _ in try await hang() }
            try await bench.running(stuck, ScriptedReporter("well", into: journal)) { _ in
                for lane in 1...100 { try await bench.happen("\(lane)", lane: lane) }
                #expect(await journal.wait(for: 100).count == 100)
            }
        }
    }

    @Test func `a generator that hangs for one request holds no other back`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let generator = ScriptedGenerator { event in
                if event.lane == 1 { try await hang() }
                return .saying("lane \(event.lane)")
            }
            let reporter = ScriptedReporter(generators: [generator]) { report, _ in
                journal.add(report.text)
            }
            try await bench.running(reporter) { _ in
                try await bench.happen("stuck", lane: 1)
                try await bench.happen("fine", lane: 2)
                #expect(await journal.wait(for: 1) == ["lane 2"])
            }
            #expect(try await bench.rows() == ["scripted 2.0 delivered 1"])
        }
    }

    @Test func `a later report waits until an earlier one has arrived`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let reporter = ScriptedReporter { report, context in
                journal.add("\(report.text) \(context.attempt)")
                guard context.attempt < 3, report.text == "start" else { return }
                throw DeliveryError(.retry(after: nil), "busy")
            }
            try await bench.running(reporter) { _ in
                try await bench.happen("start")
                try await bench.happen("end", kind: .buildFinished)
                await bench.clock.waitForSleep(until: .seconds(5))
                bench.clock.advance(by: .seconds(5))
                await bench.clock.waitForSleep(until: .seconds(35))
                bench.clock.advance(by: .seconds(30))
                let sent = await journal.wait(for: 4)
                #expect(sent == ["start 1", "start 2", "start 3", "end 1"])
            }
        }
    }

    @Test func `a failed delivery does not hold back the later ones of its request`() async throws {
        try await DeliveriesBench.with { bench in
            let reporter = ScriptedReporter { report, _ in
                if report.text == "bad" { throw DeliveryError(.reject, "HTTP 400: no such field") }
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("bad")
                try await bench.happen("good")
                await deliveries.drain(for: .seconds(10))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.state) == [.dead, .delivered])
                #expect(summary.map(\.error) == ["HTTP 400: no such field", nil])
            }
        }
    }

    @Test func `a thousand events arrive, each request's in order`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { _ in
                try await bench.store.write { transaction in
                    for number in 0..<1000 {
                        let lane = number % 50 + 1
                        try transaction.append(
                            Event(
                                at: transaction.now, kind: .buildNew, lane: lane,
                                record: ["text": .string("\(lane) \(number)")])
                        )
                    }
                }
                let texts = await journal.wait(for: 1000)
                for lane in 1...50 {
                    let expected = stride(from: lane - 1, to: 1000, by: 50).map { "\(lane) \($0)" }
                    #expect(texts.filter { $0.hasPrefix("\(lane) ") } == expected)
                }
            }
        }
    }
}
