import FoundationEssentials
import MasterKit
import Testing

struct ReportContextTests {
    /// Gives what it is asked for as the record.
    private struct Echo: ReportSource {
        func build(of event: Event, with details: BuildDetails) async throws -> JSONObject {
            ["build": .optional(event.buildID), "steps": .bool(details.steps)]
        }

        func results(ofBuild id: Int) async throws -> Results? { id == 7 ? .warnings : nil }
    }

    private func context(previous: Int? = nil) -> ReportContext {
        let event = Event(
            at: Date(timeIntervalSince1970: 0), kind: .buildFinished, lane: 1, buildID: 3,
            previousBuildID: previous, record: ["results": 2])
        return ReportContext(
            event: event, formatter: BuildRecordFormatter(), master: MasterIdentity(),
            source: Echo())
    }

    @Test func `a report is made by the reporter's formatter, or by another`() async throws {
        let plain = try await context().report()
        #expect(plain.body == .json(["build": 3, "steps": false]))
        #expect(plain.results == .failure)
        let detailed = BuildRecordFormatter(wanted: BuildDetails(steps: true))
        #expect(
            try await context().report(with: detailed).body == .json(["build": 3, "steps": true]))
        let line = try OneLine.configured(["text": "done"])
        #expect(
            try await context().report(with: line).body == .text("done", contentType: "text/plain"))
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
}
