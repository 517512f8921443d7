import FoundationEssentials
import MasterKit
import MasterRuntime
import Testing

@testable import MasterWeb

/// What the pages tell about builds that have not begun, and about those that run.
@Suite(.timeLimit(.minutes(1)))
struct PendingPageTests {
    private static let yaml = """
        www: 0
        builders:
          - {name: "<one>", steps: [steps.ShellCommand: "sleep 600"]}
          - {name: two, needs: "<one>", steps: []}
        """

    /// Submits requests and waits until the first one is built.
    private func submit(_ count: Int, _ web: Web) async throws {
        for number in 1...count {
            var request = BuildsetRequest(
                builders: ["<one>", "two"], reason: "forced by '<Ann \(number)>'")
            request.properties.set("n", .int(number), source: "Force Build Form")
            _ = try await web.master.submitUnattended(request)
        }
        while try await web.get("/builders/1/builds/1").status != 200 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The cells of the row of a request.
    private func cells(of id: Int, _ page: String) throws -> [Substring] {
        let row = try #require(page.components(separatedBy: "<th scope=\"row\">\(id)</th>").last)
        let end = try #require(row.components(separatedBy: "</tr>").first)
        return end.matches(of: /<td>(.*?)<\/td>/).map(\.1)
    }

    @Test func `pending requests tell who asked for them and what they wait for`() async throws {
        try await withWeb(Self.yaml) { web in
            try await submit(3, web)
            for page in ["/requests", "/builders/1"] {
                let page = try await web.get(page).body
                #expect(try cells(of: 3, page)[1] == "forced by &#39;&lt;Ann 2&gt;&#39;")
                #expect(try cells(of: 3, page)[2] == "its previous build")
                #expect(try cells(of: 5, page)[2] == "requests before it")
            }
            let page = try await web.get("/requests").body
            #expect(try cells(of: 2, page)[2] == "&#39;&lt;one&gt;&#39;")
            await web.master.stop(request: 1, reason: "enough")
        }
    }

    @Test func `the status tells that a builder waits for another one`() async throws {
        try await withWeb(Self.yaml) { web in
            try await submit(1, web)
            let builders = try await web.master.status()["builders"]
            #expect(builders?[1]?["waits_for"] == "'<one>'")
            await web.master.stop(request: 1, reason: "enough")
        }
    }

    @Test func `builds of a worker are named`() async throws {
        try await withWeb(Self.yaml) { web in
            try await submit(1, web)
            let page = try await web.get("/workers").body
            #expect(page.contains(">&lt;one&gt; #1</a>"), "\(page)")
            await web.master.stop(request: 1, reason: "enough")
        }
    }
}
