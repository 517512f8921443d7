import Testing

@testable import MasterKit

struct SuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1),
        ("abc", "ab", 1), ("abc", "abcd", 1), ("abc", "acb", 1), ("ab", "ba", 1),
        ("kitten", "sitting", 3), ("serverurl", "severurl", 1), ("abcd", "dcba", 3),
        ("teh", "the", 1), ("ä", "a", 2),
    ])
    func `the distance counts insertions, deletions, replacements and swaps`(
        one: String, other: String, distance: Int
    ) {
        #expect(Suggestion.distance(one, other) == distance)
        #expect(Suggestion.distance(other, one) == distance)
    }

    private static let names = ["serverUrl", "headers", "auth", "verify", "url"]

    @Test(arguments: [
        ("serverURL", "serverUrl"), ("severUrl", "serverUrl"), ("hedaers", "headers"),
        ("ulr", "url"), ("ur", "url"), ("Verify", "verify"), ("uath", "auth"),
    ])
    func `a misspelt word is recognised`(word: String, meant: String) {
        #expect(Suggestion.nearest(to: word, among: Self.names) == meant)
        #expect(
            Suggestion.remedy(for: word, among: Self.names) == "did you mean '\(meant)'?")
    }

    @Test(arguments: ["", "colour", "headersandmuchmore", "x", "timeout"])
    func `a word that is near to none gets the list`(word: String) {
        #expect(Suggestion.nearest(to: word, among: Self.names) == nil)
        #expect(
            Suggestion.remedy(for: word, among: Self.names)
                == "there are serverUrl, headers, auth, verify, url")
    }

    @Test func `of equally near words the first is taken`() {
        #expect(Suggestion.nearest(to: "cat", among: ["bat", "hat"]) == "bat")
    }

    @Test func `a list of all names can be shorter than that of what is compared`() {
        let names = ["a", "b", "c"]
        #expect(Suggestion.remedy(for: "zzz", among: names, all: ["a", "b"]) == "there are a, b")
    }

    @Test func `a list of one or none reads like a sentence`() {
        #expect(Suggestion.remedy(for: "zzz", among: []) == "there are none")
        #expect(Suggestion.remedy(for: "zzz", among: ["a"]) == "there is only 'a'")
        #expect(
            Suggestion.remedy(for: "zzz", among: ["a", "b"], all: ["a"]) == "there is only 'a'")
    }

    @Test func `of very many names only some are listed, similar ones if there are any`() {
        let names = (1...100).map { "builder \($0)" } + ["docs linux", "docs mac"]
        #expect(
            Suggestion.remedy(for: "linux", among: names) == "there are 102, such as docs linux")
        #expect(
            Suggestion.remedy(for: "docs-windows-11", among: names)
                == "there are 102, such as docs linux, docs mac")
        let first = names.prefix(8).joined(separator: ", ")
        #expect(Suggestion.remedy(for: "xyz", among: names) == "there are 102, such as \(first)")
    }

    @Test func `a huge word is compared with nothing`() {
        let word = String(repeating: "a", count: 1_000_000)
        #expect(Suggestion.nearest(to: word, among: [String(repeating: "a", count: 64)]) == nil)
    }
}
