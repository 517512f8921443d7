import Testing

@testable import MasterHTTP

/// `%XX` in parts of addresses.
struct PercentEncodingTests {
    @Test(arguments: [
        ("a-b.c_d~9", "a-b.c_d~9"), ("a/b c", "a%2Fb%20c"), ("é\n%", "%C3%A9%0A%25"), ("", ""),
    ])
    func `what is not plain is encoded, and decoded again`(text: String, encoded: String) {
        #expect(text.percentEncoded == encoded)
        #expect(encoded.percentDecoded == text)
    }

    @Test(arguments: ["%", "100%", "%2", "%zz", "%+a", "%-1", "%ff", "a+b"])
    func `what is not encoded stays as it is`(text: String) {
        #expect(text.percentDecoded == text)
    }

    @Test func `both cases of digits are decoded, and only once`() {
        #expect("%c3%A9%2525".percentDecoded == "é%25")
    }
}
