import MasterKit
import MasterRuntime
import Testing

/// The page with all builders.
@Suite(.timeLimit(.minutes(1)))
struct HomePageTests {
    private static let builders = (10..<80).map { number in
        "  - {name: build-\(number), tags: [\(number < 75 ? "Linux" : "mac")], steps: []}\n"
    }
    private static let yaml =
        "www: 0\nbuilders:\n" + builders.joined() + "  - {name: اختبار, steps: []}\n"

    /// The builders that a page lists.
    private func names(_ page: String) -> [String] {
        page.matches(of: /<th scope="row"><a href="[^"]*">([^<]*)</).map { String($0.1) }
    }

    @Test func `many builders can be searched by name and tag, page by page`() async throws {
        try await withWeb(Self.yaml) { web in
            let all = try await web.get("/", "Accept: text/html").body
            #expect(names(all).count == 60)
            #expect(all.contains(#"<a href="/?q=Linux" class="tag">Linux</a>"#))
            let named = try await web.get("/?q=ILD-7", "Accept: text/html").body
            #expect(names(named) == (70...79).map { "build-\($0)" })
            #expect(named.contains(#"name="q" type="search" value="ILD-7""#))
            let tagged = try await web.get("/?q=mac", "Accept: text/html").body
            #expect(names(tagged) == (75...79).map { "build-\($0)" })
            let first = try await web.get("/?q=linux", "Accept: text/html").body
            #expect(first.contains(#"href="?q=linux&amp;offset=60""#))
            let second = try await web.get("/?q=linux&offset=60", "Accept: text/html").body
            #expect(names(second) == (70...74).map { "build-\($0)" })
            #expect(second.contains(#"href="?q=linux&amp;offset=0""#))
            let none = try await web.get("/?q=windows", "Accept: text/html").body
            #expect(none.contains("No builder has this in its name or tags."))
        }
    }

    @Test func `the number of a build stands after a name that is written from right to left`()
        async throws
    {
        try await withWeb(Self.yaml) { web in
            _ = try await web.master.wait(
                for: web.master.submit(BuildsetRequest(builders: ["اختبار"], reason: "test")))
            let page = try await web.get("/builders/71/builds/1", "Accept: text/html").body
            #expect(page.contains("<h1>\u{2068}اختبار\u{2069} #1</h1>"))
        }
    }
}
