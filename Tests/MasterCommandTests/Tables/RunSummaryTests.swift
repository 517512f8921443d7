import FoundationEssentials
import MasterKit
import Testing

@testable import MasterCommand
@testable import MasterRuntime

struct RunSummaryTests {
    private func build(_ results: Results?) -> BuildView {
        BuildView(
            id: 1, builder: "b", number: 1, startedAt: Date(timeIntervalSince1970: 0),
            results: results)
    }

    private func delivery(
        _ state: DeliveryState, status: Int? = nil, attempts: Int = 1, error: String? = nil,
        receiver: String = "http://127.0.0.1:9980/status"
    ) -> DeliveryStatus {
        DeliveryStatus(
            id: 1, reporter: "Push", subject: "b #1 started", receiver: receiver, state: state,
            status: status, attempts: attempts, nextTry: nil, error: error,
            isFromEarlierRun: false)
    }

    private func lines(
        _ builds: [Results?], _ deliveries: [DeliveryStatus] = [], advice: String? = nil,
        closed: [ReporterRecord] = [], interruption: String? = nil
    ) -> [String] {
        RunSummary(
            builds: builds.map { build($0) },
            deliveries: DeliverySummary(
                deliveries: deliveries, closedReporters: closed,
                deadCount: deliveries.count { $0.state == .dead }),
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
        #expect(
            lines([.success], [delivery(.dead, status: 400)]).last
                == "1 report given up; to see why: \(command) --state dead -c ci.yaml")
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
            lines([.success], closed: [closed]).last
                == "nothing is sent to my push: 410 Gone; "
                + "to open it again: \(program) deliveries resume 'my push' -c ci.yaml")
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
    }

    @Test func `a long table leaves out what was delivered`() {
        let table = DeliveryTable(
            TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))
        let many = (1...100).map { _ in delivery(.delivered, status: 200) }
        let lines = table.lines(many + [delivery(.dead, error: "gone")], width: 100)
        #expect(lines.count == 3)
        #expect(lines[1].hasSuffix("given up: gone"))
        #expect(lines[2] == "  … 100 more")
        #expect(table.lines([delivery(.nothing)], width: 100) == [])
    }
}
