import MasterKit
import MasterRuntime
import MasterTesting
import Testing

@testable import MasterWeb

/// The page that lists the builders.
@Suite(.timeLimit(.minutes(1)))
struct HomePageTests {
    /// The names of the builders on a page, in its order.
    private func builders(on path: String, _ web: Web) async throws -> [String] {
        let page = try await web.get(path, "Accept: text/html").body
        return page.matches(of: /<th scope="row"><a href="\/builders\/\d+">([^<]*)<\/a>/).map {
            String($0.1)
        }
    }

    private static let many =
        "www: 0\nbuilders:\n"
        + (100..<170).map { "  - {name: b\($0), tags: [all, \"t&\($0 % 2)\"], steps: []}\n" }
        .joined()

    @Test func `many builders are found by a part of their names and by their tags`() async throws {
        try await withWeb(Self.many) { web in
            #expect(try await builders(on: "/", web).count == 50)
            let page = try await web.get("/", "Accept: text/html").body
            #expect(page.contains("<a href=\"?tag=t%260\" class=\"tag\">t&amp;0</a>"), "\(page)")
            #expect(page.contains("Search the names"))

            #expect(try await builders(on: "/?q=b11", web) == (110..<120).map { "b\($0)" })
            #expect(
                try await builders(on: "/?q=b11&tag=t%260", web)
                    == ["b110", "b112", "b114", "b116", "b118"])
            #expect(try await builders(on: "/?tag=t%261", web).count == 35)

            let tagged = try await web.get("/?tag=all&q=1", "Accept: text/html").body
            #expect(tagged.contains("<a href=\"?tag=all&amp;q=1&amp;offset=50\">Next</a>"))
            #expect(tagged.contains("with the tag “all”"))
            #expect(try await builders(on: "/?tag=all&q=1&offset=50", web).count == 20)
            let none = try await web.get("/?q=<b>", "Accept: text/html").body
            #expect(none.contains("No builder fits."))
            #expect(none.contains("value=\"&lt;b&gt;\""))
        }
    }

    @Test func `each builder has its last builds, however many others have later ones`()
        async throws
    {
        let yaml = "www: 0\nbuilders: [{name: quiet, steps: []}, {name: busy, steps: []}]\n"
        try await withWeb(yaml) { web in
            func build(_ builder: String, _ count: Int) async throws {
                var last: Submission?
                for number in 1...count {
                    var request = BuildsetRequest(builders: [builder], reason: "test")
                    // Requests that ask for the same would be built once.
                    request.properties.set("n", .int(number), source: "Force Build Form")
                    last = try await web.master.submit(request)
                }
                if let last { _ = try await web.master.wait(for: last) }
            }
            try await build("quiet", 6)
            try await build("busy", 300)
            try await build("quiet", 1)
            let page = try await web.get("/", "Accept: text/html").body
            let quiet = page.matches(of: /builders\/1\/builds\/(\d+)"/).map { String($0.1) }
            #expect(quiet == ["7", "6", "5", "4", "3"])
            let busy = page.matches(of: /builders\/2\/builds\/(\d+)"/).map { String($0.1) }
            #expect(busy == ["300", "299", "298", "297", "296"])
        }
    }

    @Test func `the number of a build stands after a name that is written from right to left`()
        async throws
    {
        try await withWeb("www: 0\nbuilders: [{name: اختبار, steps: []}]") { web in
            _ = try await web.master.wait(
                for: web.master.submit(BuildsetRequest(builders: ["اختبار"], reason: "test")))
            let page = try await web.get("/builders/1/builds/1", "Accept: text/html").body
            #expect(page.contains("<h1>\u{2068}اختبار\u{2069} #1</h1>"))
        }
    }

    @Test func `results of builds are told by more than their colors`() async throws {
        try await withWeb("www: 0\nbuilders: [{name: one, steps: []}]") { web in
            let style = try await web.get("/style.css").body
            for word in Results.allCases.map(\.name) + ["running"] {
                #expect(style.contains(".chip.\(word)::before"), "\(word)")
            }
        }
    }
}
