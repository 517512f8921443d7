import GRDB
import MasterHTTP
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct DeliveriesSecretsTests {
    @Test func `no secret is kept, said or sent in a body`() async throws {
        let journal = Journal<String>()
        try await DeliveriesBench.with { bench in
            var bench = bench
            bench.secrets = SecretValues(["token": "hunter2 is \"secret\""])
            let generators = [
                ScriptedGenerator { _ in .saying("the token is hunter2 is \"secret\"") },
                ScriptedGenerator { _ in throw DeliveryFault("no hunter2 is \"secret\"") },
            ]
            let reporter = ScriptedReporter(generators: generators) { report, context in
                journal.add(report.text)
                context.trace.note(status: 500, responseText: "hunter2 is \"secret\"")
                throw DeliveryError(
                    .retry(after: nil), "refused hunter2 is \"secret\"",
                    responseText: "hunter2 is \"secret\"")
            }
            try await bench.running(reporter) { deliveries in
                try await bench.happen("start")
                await deliveries.drain(for: .seconds(4))
                #expect("\(try await deliveries.summary().deliveries)".contains("hunter2") == false)
            }
            let kept = try await bench.store.read { database in
                try String.fetchAll(
                    database,
                    sql: """
                        SELECT coalesce(report, '') || coalesce(delivery.error, '')
                            || coalesce(attempt.error, '') || coalesce(answer, '')
                        FROM delivery LEFT JOIN attempt ON delivery_id = id
                        """
                ).joined()
            }
            #expect(kept.contains("<token>"))
            #expect(!kept.contains("hunter2"))
            #expect(!bench.messages.texts.joined().contains("hunter2"))
        }
        #expect(journal.entries == ["the token is <token>"])
    }
}
