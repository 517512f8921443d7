import FoundationEssentials
import Testing

/// The table of differences, compared with the page that explains them.
struct DifferenceTests {
    @Test func `the page explains every difference, and no other`() throws {
        let page = try String(
            contentsOf: PythonEnvironment.package.appending(
                path: "Sources/MasterKit/MasterKit.docc/HTTPSteps.md"), encoding: .utf8)
        let start = try #require(page.firstRange(of: "\n## Differences from requests\n"))
        let rest = page[start.upperBound...]
        let section = rest[..<(rest.firstRange(of: "\n## ")?.lowerBound ?? rest.endIndex)]
        let explained = section.matches(of: /^- \*\*(.+?)\*\*: \S/.anchorsMatchLineEndings())
            .map { String($0.output.1) }

        #expect(explained.sorted() == Difference.all.map(\.title).sorted())
    }

    @Test func `every difference is seen in a request`() {
        let cases = RequestCase.all + RequestCase.outcomes + RequestCase.endpoints
        let seen = Set(cases.flatMap(\.differences).map(\.title))
        let named = Difference.inSomeRequests + Difference.inOutcomes
        #expect(Set(named.map(\.title)) == seen)
    }
}
