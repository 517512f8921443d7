import MasterKit
import Testing

struct HTTPAddressTests {
    @Test(arguments: [
        "http://127.0.0.1:9980/status", "https://example.com", "HTTP://example.com/",
        "http://h", "http://h:1", "http://h:65535/?a=b:c#d:e", "http://[::1]:8080/",
        "https://[fe80::1%25eth0]/", "http://[::ffff:1.2.3.4]/", "http://user:pass@h:80/p",
        "http://bücher.example/", "http://h?x=http://y:z",
    ])
    func `a URL is taken as it is written`(text: String) throws {
        #expect(Reading(text, as: HTTPAddress.self).value?.text == text)
        #expect(try HTTPAddress(text).description == text)
    }

    private static let sample = "write an address such as http://127.0.0.1:9980/status"
    private static let scheme = "must begin with http:// or https://; \(sample)"
    private static let port = "has an invalid port; a port is a number from 1 to 65535"
    private static let ipv6 = "has an invalid IPv6 address; write it as [::1]"
    private static let control = "has a line end or another control character; remove it"

    @Test(arguments: [
        ("", "is empty; \(sample)"),
        ("127.0.0.1:9980", scheme),
        ("ftp://h/", "begins with ftp://; only http:// and https:// are supported"),
        ("http:/h/", scheme),
        ("http:h", scheme),
        ("http://", "has no host; \(sample)"),
        ("http:///path", "has no host; \(sample)"),
        ("http://:80/", "has no host; \(sample)"),
        ("http://user@/", "has no host; \(sample)"),
        ("http://h:/", port),
        ("http://h:0/", port),
        ("http://h:65536/", port),
        ("http://h:+80/", port),
        ("http://h:80a/", port),
        ("http://h:99999999999999999999/", port),
        ("http://[::1]:x/", port),
        ("http://[::1/", ipv6),
        ("http://[]/", ipv6),
        ("http://[host]/", ipv6),
        ("http://[::1]8080/", port),
        ("http://exa<mple/", "has an invalid host"),
        ("http://h/a b", "has a space in it; write %20"),
        ("http://h/\u{7F}", control),
        ("http://h/a\r\nHost: x", control),
    ])
    func `an invalid URL is refused with a reason`(text: String, fault: String) throws {
        let decoder = SettingDecoder()
        let value = decoder.about("'url'") {
            decoder.decode(HTTPAddress.self, from: YAMLNode(text))
        }
        #expect(value == nil)
        #expect(decoder.diagnostics.map(\.message) == ["'url' \(fault)"])
        let error = #expect(throws: HTTPAddress.Fault.self) { try HTTPAddress(text) }
        #expect(error?.reason == fault)
    }

    @Test func `a URL has a limit`() {
        let fits = "http://h/" + String(repeating: "x", count: 65536 - 9)
        #expect(throws: Never.self) { try HTTPAddress(fits) }
        #expect(
            Reading(fits + "x", as: HTTPAddress.self).messages
                == ["'it' has 65537 bytes; the limit is 65536"])
    }

    @Test(arguments: [
        ("http://user:pass@h/p", "http://h/p"), ("http://u:p@ss@h/p@q", "http://h/p@q"),
        ("http://h/p@q", "http://h/p@q"), ("http://h?x@y", "http://h?x@y"),
        ("none@all", "none@all"), ("git@example.com:a.git", "git@example.com:a.git"),
        ("/srv/a.git", "/srv/a.git"), ("ssh://git@example.com", "ssh://example.com"),
    ])
    func `user and password are removed`(url: String, rest: String) {
        #expect(HTTPAddress.withoutUser(url) == rest)
    }
}
