import FoundationEssentials
import MasterKit
import Testing

@testable import MasterCommand
@testable import MasterRuntime

struct RunSummaryTests {
    private func build(_ results: Results?) -> BuildView {
        BuildView(
            id: 1, request: 1, builder: "b", number: 1, startedAt: Date(timeIntervalSince1970: 0),
            results: results)
    }

    private func delivery(
        _ state: DeliveryState, status: Int? = nil, attempts: Int = 1, error: String? = nil,
        receiver: String = "http://127.0.0.1:9980/status", isEarlier: Bool = false
    ) -> DeliveryStatus {
        DeliveryStatus(
            id: 1, reporter: "Push", subject: "b #1 started", receiver: receiver, state: state,
            status: status, attempts: attempts, nextTry: nil, error: error,
            isFromEarlierRun: isEarlier)
    }

    private func summary(_ deliveries: [DeliveryStatus]) -> DeliverySummary {
        var summary = DeliverySummary()
        summary.deliveries = deliveries
        for delivery in deliveries where delivery.isFromEarlierRun {
            summary.earlierCounts[delivery.state, default: 0] += 1
        }
        summary.deliveredCount = deliveries.count { $0.state == .delivered }
        summary.openCount = deliveries.count { $0.state == .open }
        summary.parkedCount = deliveries.count { $0.state == .parked }
        summary.deadCount = deliveries.count { $0.state == .dead }
        return summary
    }

    private func lines(
        _ builds: [Results?], _ deliveries: [DeliveryStatus] = [], advice: String? = nil,
        interruption: String? = nil, _ change: (inout DeliverySummary) -> Void = { _ in }
    ) -> [String] {
        var summary = summary(deliveries)
        change(&summary)
        return RunSummary(
            builds: builds.map { build($0) }, deliveries: summary,
            duration: .milliseconds(1500), receiverOption: advice,
            advice: DeliveriesAdvice(options: " -c ci.yaml"), interruption: interruption
        ).lines(TextPainter(hasColour: false))
    }

    @Test func `the worst result gives the word`() {
        #expect(lines([.success]) == ["success: 1 build in 1.5 s"])
        #expect(
            lines([.success, .failure, .warnings])
                == ["failure: 3 builds in 1.5 s, 1 not successful"])
        #expect(lines([]) == ["nothing was built: 0 builds in 1.5 s"])
        #expect(
            lines([.cancelled], interruption: "interrupted") == ["interrupted: 1 build in 1.5 s"])
    }

    @Test func `builds whose results do not count do not decide`() {
        var unimportant = build(.failure)
        unimportant.isUnimportant = true
        let summary = RunSummary(
            builds: [build(.success), unimportant], deliveries: DeliverySummary(),
            duration: .seconds(1), receiverOption: nil, advice: DeliveriesAdvice(options: ""),
            interruption: nil)
        #expect(summary.results == .success)
        #expect(
            summary.lines(TextPainter(hasColour: false))
                == ["success: 2 builds in 1.0 s, 1 unimportant build not successful"])
    }

    @Test func `reports are counted, and what becomes of the others is said`() {
        let deliveries = [delivery(.delivered, status: 200), delivery(.open), delivery(.open)]
        let command = "\(RootCommand.programName) deliveries list"
        #expect(
            lines([.success], deliveries) == [
                "success: 1 build in 1.5 s, 1 report delivered",
                "2 reports kept for the next run; to see them: \(command) --state open -c ci.yaml",
            ])
        #expect(
            lines([.success], deliveries, advice: "--receiver").last
                == "2 reports kept for the next run; add --receiver to see them")
        let expired = GivenUpReports(reporter: "my push", reason: "expired: too old", count: 2)
        #expect(
            lines([.success]) {
                $0.givenUp = [expired]
                $0.otherGivenUpCount = 3
            }.dropFirst() == [
                "2 reports of my push given up: expired: too old; to see more: "
                    + "\(command) --state dead --reporter 'my push' -c ci.yaml",
                "3 more reports given up; to see why: \(command) --state dead -c ci.yaml",
            ])
        #expect(
            lines([.success]) { $0.unreportedCount = 2 }.last
                == "2 events not yet reported; the next run reports them")
        #expect(
            lines([.success]) { $0.deliveredCount = 24_268 }
                == ["success: 1 build in 1.5 s, 24268 reports delivered"])
        #expect(
            lines([.success], [delivery(.parked)]).last
                == "1 report kept for reporters that the file does not name; "
                + "to see them: \(command) --state parked -c ci.yaml")
    }

    @Test func `a closed endpoint is said with the command that opens it`() {
        let closed = ReporterRecord(
            name: "my push", closedAt: Date(timeIntervalSince1970: 0), closedReason: "410 Gone")
        let program = RootCommand.programName
        #expect(
            lines([.success]) { $0.closedReporters = [closed] }.last
                == "nothing is sent to my push: 410 Gone; "
                + "to open it again: \(program) deliveries resume 'my push' -c ci.yaml")
    }

    @Test func `builders that never started are named`() {
        let summary = RunSummary(
            notStarted: ["docs", "lint"], builds: [build(.cancelled)],
            deliveries: DeliverySummary(), duration: .milliseconds(1500), receiverOption: nil,
            advice: DeliveriesAdvice(options: ""), interruption: "interrupted")
        #expect(
            summary.lines(TextPainter(hasColour: false)) == [
                "interrupted: 1 build in 1.5 s", "not started: docs, lint",
            ])
    }

    @Test func `the table says what came of a delivery`() {
        #expect(DeliveryTable.answer(delivery(.delivered, status: 204)) == "204")
        #expect(DeliveryTable.answer(delivery(.delivered)) == "delivered")
        #expect(
            DeliveryTable.answer(delivery(.delivered, status: 200, attempts: 3))
                == "200, after 3 tries")
        #expect(
            DeliveryTable.answer(delivery(.open, error: "no answer"))
                == "kept for the next run: no answer")
        #expect(
            DeliveryTable.answer(delivery(.dead, status: 400, error: "400 Bad Request"))
                == "given up: 400 Bad Request")
        #expect(
            DeliveryTable.answer(delivery(.dead, attempts: 3, error: "404 Not Found; reset"))
                == "given up: 404 Not Found; reset, after 3 tries")
    }

    @Test func `a reason that says that a report was given up is not introduced by these words`() {
        let reason = "given up after 3 tries: nothing listens"
        #expect(DeliveryTable.answer(delivery(.dead, attempts: 3, error: reason)) == reason)
        let reports = GivenUpReports(reporter: "push", reason: reason, count: 1)
        let line = lines([.success]) { $0.givenUp = [reports] }.last ?? ""
        #expect(line.hasPrefix("1 report of push \(reason); to see more: "))
    }

    @Test func `a report that was not sent is listed with the reason`() {
        let table = DeliveryTable(
            TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))
        let deliveries = [delivery(.nothing, error: "the room is not told of this")]
        #expect(
            table.lines(summary(deliveries), reporters: ["Push"], width: 100) == [
                "reports",
                "  - Push  b #1 started  http://127.0.0.1:9980/status  nothing to send: the room "
                    + "is not told of this",
            ])
    }

    @Test func `this run's deliveries come first, and idle reporters are named`() {
        let table = DeliveryTable(
            TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))
        let deliveries = [
            delivery(.open, isEarlier: true), delivery(.delivered, isEarlier: true),
            delivery(.delivered, status: 200), delivery(.delivered, isEarlier: true),
        ]
        #expect(
            table.lines(summary(deliveries), reporters: ["Push", "Chat"], width: 100) == [
                "reports",
                "  ✓ Push  b #1 started  http://127.0.0.1:9980/status  200",
                "  - Chat  nothing to send",
                "  of earlier runs: 2 delivered, 1 kept for the next run",
            ])
        #expect(
            table.lines(DeliverySummary(), reporters: ["Push"], width: 100)
                == ["reports", "  - Push  nothing to send"])
        var unknown = DeliverySummary()
        unknown.unreportedCount = 1
        #expect(table.lines(unknown, reporters: ["Push"], width: 100) == [])
    }

    @Test func `reports of earlier runs are one line however many there are`() {
        let table = DeliveryTable(
            TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))
        var summary = summary([delivery(.delivered, status: 200)])
        summary.deliveries += Array(repeating: delivery(.open, isEarlier: true), count: 39)
        summary.openCount = 100
        summary.earlierCounts = [.open: 100]
        #expect(
            table.lines(summary, reporters: ["Push"], width: 100) == [
                "reports",
                "  ✓ Push  b #1 started  http://127.0.0.1:9980/status  200",
                "  of earlier runs: 100 kept for the next run",
            ])
    }

    @Test func `a long table leaves out what was delivered`() {
        let table = DeliveryTable(
            TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))
        var summary = summary([delivery(.dead, error: "gone")])
        summary.deliveredCount = 100
        let lines = table.lines(summary, width: 100)
        #expect(lines.count == 3)
        #expect(lines[1].hasSuffix("given up: gone"))
        #expect(lines[2] == "  … and 100 more reports")
        #expect(table.lines(DeliverySummary(), width: 100) == [])
    }
}
