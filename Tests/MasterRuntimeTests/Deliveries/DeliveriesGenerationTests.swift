import GRDB
import MasterKit
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeliveriesGenerationTests {
    @Test func `every report of every generator is sent`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let generators = [
                ScriptedGenerator { _ in .saying("first") },
                ScriptedGenerator([.buildFinished]) { _ in .saying("of the end") },
                ScriptedGenerator { _ in nil },
                ScriptedGenerator { _ in .saying("last") },
            ]
            let reporter = ScriptedReporter(generators: generators) { report, context in
                journal.add("\(context.id) \(report.text)")
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                try await bench.happen("end", kind: .buildFinished)
                await deliveries.drain(for: .seconds(10))
            }
            #expect(
                journal.entries == [
                    "msg_test_1_1_0 first", "msg_test_1_1_3 last", "msg_test_1_2_0 first",
                    "msg_test_1_2_1 of the end", "msg_test_1_2_3 last",
                ]
            )
        }
    }

    @Test func `an event without a report is done`() async throws {
        try await DeliveriesBench.with { bench in
            let reporter = ScriptedReporter(generators: [ScriptedGenerator { _ in nil }])
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                await deliveries.drain(for: .seconds(10))
                #expect(try await deliveries.summary().deliveries.isEmpty)
            }
            #expect(try await bench.rows() == [])
            #expect(try await bench.value("SELECT cursor FROM reporter") == 1)
        }
    }

    @Test func `a generator that throws leaves a failed delivery and the others go on`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let generators = [
                ScriptedGenerator { _ in throw DeliveryFault("the template has no JSON") },
                ScriptedGenerator(),
            ]
            let reporter = ScriptedReporter(generators: generators) { report, _ in
                journal.add(report.text)
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("one")
                try await bench.happen("two")
                await deliveries.drain(for: .seconds(10))
                let dead = try await deliveries.summary().deliveries.filter { $0.state == .dead }
                #expect(dead.count == 2)
                #expect(
                    dead.first?.error
                        == "the report could not be generated: the template has no JSON")
                #expect(dead.first?.attempts == 0)
            }
            #expect(journal.entries == ["one", "two"])
            #expect(try await bench.value("SELECT cursor FROM reporter") == 2)
        }
    }

    @Test(arguments: ["application/json", "application/vnd.api+json; charset=utf-8"])
    func `a report that is no JSON, but says so, is dead`(contentType: String) async throws {
        try await DeliveriesBench.with { bench in
            let bodies = ["{\"a\": 1}", "{\"a\": }", "{\"a\": 2}"]
            let generators = bodies.map { body in
                ScriptedGenerator { _ in Report(body: .text(body, contentType: contentType)) }
            }
            try await bench.running(ScriptedReporter(generators: generators)) { deliveries in
                try await bench.happen("start")
                await deliveries.drain(for: .seconds(10))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.state) == [.delivered, .dead, .delivered])
                let reason = "the report could not be generated: the report is not valid JSON: "
                #expect(summary[1].error?.hasPrefix(reason) == true)
            }
        }
    }

    @Test func `a report that cannot be stored is dead and the next one is not`() async throws {
        try await DeliveriesBench.with { bench in
            try await bench.store.write {
                try $0.database.execute(
                    sql: """
                        CREATE TRIGGER refuse BEFORE INSERT ON delivery
                        WHEN NEW.report LIKE '%huge%'
                        BEGIN SELECT RAISE(ABORT, 'string or blob too big'); END
                        """
                )
            }
            try await bench.running(ScriptedReporter()) { deliveries in
                try await bench.happen("huge")
                try await bench.happen("small")
                await deliveries.drain(for: .seconds(10))
                let summary = try await deliveries.summary().deliveries
                #expect(summary.map(\.state) == [.dead, .delivered])
                #expect(summary.first?.error?.contains("too big") == true)
            }
        }
    }

    @Test func `a reporter that is new begins with the next event`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            bench.store.storeEvents(of: [.buildNew])
            try await bench.happen("before")
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                try await bench.happen("after")
                await deliveries.drain(for: .seconds(10))
            }
            #expect(journal.entries == ["after"])
        }
    }

    @Test func `events that nobody generated before come first`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let deliveries = try await bench.open(ScriptedReporter(into: journal))
            for number in 1...600 { try await bench.happen("\(number)") }
            try await DeliveriesBench.run(deliveries) { deliveries in
                try await bench.happen("601")
                await deliveries.drain(for: .seconds(10))
            }
            #expect(journal.entries == (1...601).map(String.init))
        }
    }

    @Test func `a reporter slower than the events misses none of them`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let gate = Journal<Void>()
            let generator = ScriptedGenerator { event in
                await gate.wait(for: 1)
                return .saying(event.record["text"]?.stringValue ?? "")
            }
            let reporter = ScriptedReporter(generators: [generator]) { report, _ in
                journal.add(report.text)
            }
            let count = GenerationStage.queueLimit + GenerationStage.bufferLimit + 500
            try await bench.running(reporter) { deliveries in
                try await bench.happen("1")
                try await bench.store.write { transaction in
                    for number in 2...count {
                        try transaction.append(
                            Event(
                                at: transaction.now, kind: .buildNew, lane: 1,
                                record: ["text": .string("\(number)")])
                        )
                    }
                }
                gate.add(())
                await deliveries.drain(for: .seconds(10))
            }
            #expect(journal.entries == (1...count).map(String.init))
        }
    }

    @Test func `events that no generator wants are neither kept nor asked for`() async throws {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let ends = ScriptedGenerator([.buildFinished]) { .saying($0.kind.rawValue) }
            let reporter = ScriptedReporter(generators: [ends]) { report, _ in
                journal.add(report.text)
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                try await bench.happen("end", kind: .buildFinished)
                await deliveries.drain(for: .seconds(10))
            }
            #expect(journal.entries == ["build.finished"])
            #expect(try await bench.value("SELECT count(*) FROM event") == 1)
        }
    }
}
