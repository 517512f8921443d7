import FoundationEssentials
import MasterKit
import Testing

struct ReportContextTests {
    /// Returns the requested details as the steps.
    private struct Echo: ReportSource {
        func steps(of build: JSONObject, with details: BuildDetails) -> [JSONValue] {
            [.bool(details.logs)]
        }

        func ends(ofBuildset id: Int) -> [Event] { [] }
        func results(ofBuild id: Int) -> Results? { id == 7 ? .warnings : nil }
        func results(ofStep name: String, inBuild id: Int) -> Results? {
            id == 7 && name == "test" ? .failure : nil
        }
        func authors(of event: Event) -> [String] { ["ann"] }
    }

    private func context(
        _ kind: EventKind = .buildFinished, previous: Int? = nil,
        _ record: JSONObject = ["results": 2, "properties": ["a": [1, "test"]]],
        uses: ReportUses = ReportUses()
    ) -> ReportContext {
        let event = Event(
            at: Date(timeIntervalSince1970: 0), kind: kind, lane: 1, buildID: 3,
            previousBuildID: previous, record: record)
        return ReportContext(
            event: event, formatter: RecordFormatter(), uses: uses, master: MasterIdentity(),
            logger: Logger(label: "test"), source: Echo())
    }

    @Test func `a report is made by the reporter's formatter, or by another`() async throws {
        let plain = try await context().report()
        #expect(plain.body == .json(["results": 2, "properties": ["a": [1, "test"]]]))
        #expect(plain.results == .failure)
        let detailed = RecordFormatter(wanted: BuildDetails(properties: false, logs: true))
        #expect(
            try await context().report(with: detailed).body
                == .json(["results": 2, "properties": [:], "steps": [true]]))
        let line = try OneLine.configured(["text": "done"])
        #expect(try await context().report(with: line).body == .plain("done"))
    }

    @Test func `the authors of changes are looked up where they are used`() async throws {
        #expect(try await context().report().users == [])
        let line = try OneLine.configured(["text": "done"])
        #expect(try await context().report(with: line).users == ["ann"])
        #expect(try await context(uses: Recorder().needs).report().users == ["ann"])
    }

    /// A reporter that uses all of a report, as by default.
    private struct Recorder: Reporter {
        static let summary = "Records reports."

        func send(_ report: Report, in context: DeliveryContext) {}
    }

    @Test func `the generator of every build reports starts and ends`() async throws {
        let generator = EveryBuildGenerator()
        #expect(generator.wantedEvents == [.buildNew, .buildFinished])
        let report = try await generator.generate(for: context().event, in: context())
        #expect(report?.results == .failure)
    }

    @Test func `the result of the build before is looked up`() async throws {
        #expect(try await context().previousResults() == nil)
        #expect(try await context(previous: 7).previousResults() == .warnings)
        #expect(try await context(previous: 8).previousResults() == nil)
    }

    @Test func `the result of a step before is that of the same name`() async throws {
        let step = context(.stepFinished, previous: 7, ["name": "test", "results": 0])
        #expect(try await step.previousResults() == .failure)
        let other = context(.stepFinished, previous: 7, ["name": "other", "results": 0])
        #expect(try await other.previousResults() == nil)
        #expect(try await context(.buildrequestNew, previous: 7).previousResults() == nil)
    }
}
