import Testing

@testable import MasterRuntime

/// The names of logs in URLs and as files.
struct LogSlugTests {
    @Test(arguments: [
        ("stdio", "stdio"), ("err.text", "err_text"), ("../../etc/passwd", "______etc_passwd"),
        ("ünï", "_n_"), ("", "log"), ("a b-c", "a_b-c"), ("\0\n", "__"),
    ])
    func `a slug has letters, digits, hyphens and underscores`(_ name: String, _ slug: String) {
        var taken: Set<String> = []
        #expect(taken.uniqueSlug(for: name) == slug)
    }

    @Test func `the second log of a name has another slug`() {
        var taken: Set<String> = []
        let slugs = ["a", "a", "a", "a_2", "a.2"].map { taken.uniqueSlug(for: $0) }
        #expect(slugs == ["a", "a_2", "a_3", "a_2_2", "a_2_3"])
    }

    @Test func `a long name makes a short slug`() {
        var taken: Set<String> = []
        let name = String(repeating: "n", count: 400)
        for _ in 1...12 { #expect(taken.uniqueSlug(for: name).count <= 50) }
        #expect(taken.count == 12)
    }
}
