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

    @Test func `many builders can be searched by name and tag, page by page`() async throws {
        try await withWeb(Self.yaml) { web in
            let all = try await web.get("/", "Accept: text/html").body
            #expect(names(all).count == 50)
            #expect(all.contains(#"<a href="/?q=Linux" class="tag">Linux</a>"#))
            let named = try await web.get("/?q=ILD-7", "Accept: text/html").body
            #expect(names(named) == (70...79).map { "build-\($0)" })
            #expect(named.contains(#"name="q" type="search" value="ILD-7""#))
            let tagged = try await web.get("/?q=mac", "Accept: text/html").body
            #expect(names(tagged) == (75...79).map { "build-\($0)" })
            let first = try await web.get("/?q=linux", "Accept: text/html").body
            #expect(first.contains(#"href="?q=linux&amp;offset=50""#))
            let second = try await web.get("/?q=linux&offset=50", "Accept: text/html").body
            #expect(names(second) == (60...74).map { "build-\($0)" })
            #expect(second.contains(#"href="?q=linux&amp;offset=0""#))
            let none = try await web.get("/?q=windows", "Accept: text/html").body
            #expect(none.contains("No builder has this in its name or tags."))
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
}
