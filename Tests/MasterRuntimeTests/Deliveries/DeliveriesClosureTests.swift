import MasterKit
import MasterTesting
import Synchronization
import Testing

@testable import MasterRuntime

/// An endpoint that has responded that it is permanently gone.
@Suite(.timeLimit(.minutes(1)))
struct DeliveriesClosureTests {
    private static func gone(
        into journal: Journal<String>, at address: String? = nil
    ) -> ScriptedReporter {
        var reporter = ScriptedReporter { report, _ in
            journal.add(report.text)
            throw DeliveryError(.endpointGone, "410 Gone: closed for good", status: 410)
        }
        reporter.address = address
        return reporter
    }

    private static func close(_ bench: DeliveriesBench, at address: String? = nil) async throws {
        let journal = Journal<String>()
        try await bench.running(gone(into: journal, at: address)) { deliveries in
            try await bench.happen("first")
            try await bench.happen("second")
            await deliveries.drain(for: .seconds(4))
            let summary = try await deliveries.summary()
            #expect(summary.closedReporters.map(\.closedReason) == ["410 Gone: closed for good"])
            #expect(summary.deliveries.map(\.state) == [.open, .open])
            #expect(summary.deliveries.map(\.status) == [410, nil])
        }
        #expect(journal.entries == ["first"])
    }

    @Test func `it stays closed in later runs, which say so, and its reports are kept`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            try await Self.close(bench, at: "http://gone/")
            let journal = Journal<String>()
            var reporter = ScriptedReporter(into: journal)
            reporter.address = "http://gone/"
            try await bench.running(reporter) { deliveries in
                try await bench.happen("third")
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary()
                #expect(summary.closedReporters.map(\.name) == ["scripted"])
                #expect(summary.deliveries.map(\.state) == [.open, .open, .open])
            }
            #expect(journal.entries.isEmpty)
            let warnings = bench.messages.texts(at: .warning)
            #expect(warnings.contains { $0.hasPrefix("nothing is sent to scripted") })
        }
    }

    @Test func `another address opens it`() async throws {
        try await DeliveriesBench.with { bench in
            try await Self.close(bench, at: "http://gone/?key=one")
            let journal = Journal<String>()
            var reporter = ScriptedReporter(into: journal)
            reporter.address = "http://gone/?key=two"
            try await bench.running(reporter) { deliveries in
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary()
                #expect(summary.closedReporters.isEmpty)
            }
            #expect(journal.entries == ["first", "second"])
            let kept: String? = try await bench.value(
                "SELECT group_concat(coalesce(closed_receiver, 'none')) FROM reporter")
            #expect(kept == "none")
        }
    }

    @Test func `an address that depends on the build opens it, too`() async throws {
        try await DeliveriesBench.with { bench in
            try await Self.close(bench, at: "http://gone/")
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                await deliveries.drain(for: .seconds(4))
            }
            #expect(journal.entries == ["first", "second"])
        }
    }

    @Test func `the address itself is not kept`() async throws {
        try await DeliveriesBench.with { bench in
            try await Self.close(bench, at: "http://gone/?key=one")
            let kept: String? = try await bench.value("SELECT closed_receiver FROM reporter")
            #expect(kept?.count == 44)
            #expect(kept?.contains("one") == false)
        }
    }

    @Test func `a report that was refused is tried once more when its outbox is resumed`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let reporter = ScriptedReporter { _, context in
                journal.add("try \(context.attempt)")
                guard context.attempt == 1 else { return }
                throw DeliveryError(.endpointGone, "410 Gone", status: 410)
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("first")
                let closed = "410 Gone; nothing more is sent there"
                while !bench.messages.texts(at: .warning).contains(where: { $0.hasSuffix(closed) })
                {
                    await Task.yield()
                }
                try await DeliveryAdmin.with(folder: bench.folder) { admin in
                    let wasClosed = try await admin?.resume(reporter: "scripted")
                    #expect(wasClosed == true)
                }
                deliveries.noteChanges()
                await journal.wait(for: 2)
                await deliveries.drain(for: .seconds(4))
            }
            #expect(journal.entries == ["try 1", "try 2"])
            let kept: String? = try await bench.value(
                "SELECT group_concat(n || ' ' || ifnull(status, 'none')) FROM attempt")
            #expect(kept == "1 410,2 none")
        }
    }

    @Test func `deliveries that are told of changes take them over at once`() async throws {
        try await DeliveriesBench.with { bench in
            try await Self.close(bench)
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                try await DeliveryAdmin.with(folder: bench.folder) { admin in
                    let admin = try #require(admin)
                    let first = try await admin.resume(reporter: "scripted")
                    let second = try await admin.resume(reporter: "scripted")
                    let other = try await admin.resume(reporter: "other")
                    #expect([first, second, other] == [true, false, nil])
                }
                deliveries.noteChanges()
                await journal.wait(for: 2)
            }
            #expect(journal.entries == ["first", "second"])
        }
    }

    @Test func `one that was resumed before it was known to be closed is sent to in the same run`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            let journal = Journal<String>()
            let deliveries = try await bench.open(ScriptedReporter(into: journal))
            // As if the 410, 'resume' and a check for changes were committed before the 410 takes
            // effect.
            deliveries.pipelines[0].sender.state.withLock { $0.isClosed = true }
            try await DeliveriesBench.run(deliveries) { deliveries in
                try await bench.happen("first")
                // Also done by the deliveries themselves, now and then.
                try await deliveries.takeChanges()
                await journal.wait(for: 1)
            }
        }
    }
}
