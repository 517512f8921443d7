import MasterKit
import Testing

/// Secrets added to a mask after it was created.
struct LearnedSecretTests {
    @Test func `a value is hidden from then on, by every copy of the mask`() throws {
        let mask = SecretMask([])
        let copy = mask
        var stream = copy.stream()
        #expect(stream.process(Array("one s3cr3t-one ".utf8)[...]) == Array("one s3cr3t-one ".utf8))
        try mask.hide("s3cr3t-one", as: "tok")
        #expect(copy.apply(to: "a s3cr3t-one b") == "a <tok> b")
        #expect(copy.apply(to: "czNjcjN0LW9uZQ==") == "<tok>==")
        var shown = stream.process(Array("two s3cr3t-".utf8)[...])
        shown += stream.process(Array("one!".utf8)[...])
        #expect(String(decoding: shown + stream.finish(), as: UTF8.self) == "two <tok>!")
        #expect(copy.nameOfSecret(in: "x s3cr3t-one") == "tok")
        #expect(copy.nameOfSecret(in: "x s3cr3t-two") == nil)
    }

    @Test(arguments: ["", "  ", "abc", "\n", String(repeating: "x", count: (16 << 10) + 1)])
    func `a value that can't be hidden is refused`(_ value: String) {
        let mask = SecretMask([("key", "s3cr3t-value")])
        #expect(throws: UnmaskableSecret.self) { try mask.hide(value, as: "tok") }
        #expect(mask.apply(to: "abc \(value)") == "abc \(value)")
    }

    @Test func `a value that is known already keeps its name`() throws {
        let mask = SecretMask([("key", "s3cr3t-value")])
        for _ in 0..<3 { try mask.hide("s3cr3t-value", as: "other") }
        #expect(mask.apply(to: "s3cr3t-value") == "<key>")
    }

    @Test func `the latest thousand are known`() throws {
        let mask = SecretMask([("key", "s3cr3t-value")])
        for index in 0..<1_500 { try mask.hide("learned-\(index)-value", as: "n") }
        #expect(mask.apply(to: "learned-1499-value learned-1100-value") == "<n> <n>")
        #expect(mask.apply(to: "learned-0-value") == "learned-0-value")
        #expect(mask.apply(to: "s3cr3t-value") == "<key>")
    }

    @Test(arguments: [
        "Cannot POST /services/T024BE7LD/B024/x8Yz", "no services/T024BE7LD/B024/x8Yz here",
        "team T024BE7LD is gone", "bad query a=1&token=abcdef-123456", "abcdef-123456 expired",
        "user hook-user", "password p%40ssw0rd-1", "password p@ssw0rd-1", "#fragment-of-it",
    ])
    func `the parts of a secret address are hidden`(_ text: String) {
        let address =
            "https://hook-user:p%40ssw0rd-1@hooks.example/services/T024BE7LD/B024/x8Yz"
            + "?a=1&token=abcdef-123456#fragment-of-it"
        let shown = SecretMask([("slack", address)]).apply(to: text)
        for part in ["T024", "abcdef", "hook-user", "ssw0rd", "fragment"] {
            #expect(!shown.contains(part))
        }
        #expect(shown.contains("<slack>"))
    }

    @Test func `the host and the words of a path stay readable`() {
        let mask = SecretMask([("slack", "https://hooks.example/services/T024BE7LD?a=1")])
        #expect(
            mask.apply(to: "hooks.example has services and a=1")
                == "hooks.example has services and a=1")
        #expect(mask.apply(to: "/services/other") == "/services/other")
    }
}
