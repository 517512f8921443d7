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
            #expect(try await builders(on: "/", web).count == 60)
            let page = try await web.get("/", "Accept: text/html").body
            #expect(page.contains("<a href=\"?tag=t%260\" class=\"tag\">t&amp;0</a>"), "\(page)")
            #expect(page.contains("Search the names"))

            #expect(try await builders(on: "/?q=b11", web) == (110..<120).map { "b\($0)" })
            #expect(
                try await builders(on: "/?q=b11&tag=t%260", web)
                    == ["b110", "b112", "b114", "b116", "b118"])
            #expect(try await builders(on: "/?tag=t%261", web).count == 35)

            let tagged = try await web.get("/?tag=all&q=1", "Accept: text/html").body
            #expect(tagged.contains("<a href=\"?tag=all&amp;q=1&amp;offset=60\">Next</a>"))
            #expect(tagged.contains("with the tag “all”"))
            #expect(try await builders(on: "/?tag=all&q=1&offset=60", web).count == 10)
            let none = try await web.get("/?q=<b>", "Accept: text/html").body
            #expect(none.contains("No builder fits."))
            #expect(none.contains("value=\"&lt;b&gt;\""))
        }
    }

    @Test func `few builders need no search`() async throws {
        try await withWeb("www: 0\nbuilders: [{name: one, tags: [fast], steps: []}]") { web in
            let page = try await web.get("/", "Accept: text/html").body
            #expect(!page.contains("Search the names"))
            #expect(try await builders(on: "/?tag=slow", web) == [])
            #expect(try await builders(on: "/?tag=fast", web) == ["one"])
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
}
