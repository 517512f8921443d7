import MasterKit
import Testing

struct HTTPAddressTests {
    @Test(arguments: [
        "http://127.0.0.1:9980/status", "https://example.com", "HTTP://example.com/",
        "http://h", "http://h:1", "http://h:65535/?a=b:c#d:e", "http://[::1]:8080/",
        "https://[fe80::1%25eth0]/", "http://[::ffff:1.2.3.4]/", "http://user:pass@h:80/p",
        "http://user:p@ss@h/", "http://bücher.example/", "http://h?x=http://y:z",
    ])
    func `an address is taken as it is written`(text: String) {
        #expect(Reading(text, as: HTTPAddress.self).value?.text == text)
        #expect(HTTPAddress(text)?.description == text)
    }

    private static let sample = "write an address such as http://127.0.0.1:9980/status"
    private static let port = "for a port; a port is a number from 1 to 65535"
    private static let host = "for a host; an IPv6 address is written [::1]"

    @Test(arguments: [
        ("", "is empty; \(sample)"),
        ("127.0.0.1:9980", "must begin with http:// or https://; \(sample)"),
        ("ftp://h/", "must begin with http:// or https://; \(sample)"),
        ("http:/h/", "must begin with http:// or https://; \(sample)"),
        ("http:h", "must begin with http:// or https://; \(sample)"),
        ("http://", "names no host; \(sample)"),
        ("http:///path", "names no host; \(sample)"),
        ("http://:80/", "names no host; \(sample)"),
        ("http://user@/", "names no host; \(sample)"),
        ("http://h:/", "has '' \(port)"),
        ("http://h:0/", "has '0' \(port)"),
        ("http://h:65536/", "has '65536' \(port)"),
        ("http://h:+80/", "has '+80' \(port)"),
        ("http://h:80a/", "has '80a' \(port)"),
        ("http://h:99999999999999999999/", "has '99999999999999999999' \(port)"),
        ("http://[::1]:x/", "has 'x' \(port)"),
        ("http://[::1/", "has '[::1' \(host)"),
        ("http://[]/", "has '[]' \(host)"),
        ("http://[host]/", "has '[host]' \(host)"),
        ("http://[::1]8080/", "has '[::1]8080' \(host)"),
        (
            "http://h/a b",
            "has white space or a control character in it; encode it, a space as %20"
        ),
        (
            "http://h/\u{7F}",
            "has white space or a control character in it; encode it, a space as %20"
        ),
        (
            "http://h/a\r\nHost: x",
            "has white space or a control character in it; encode it, a space as %20"
        ),
    ])
    func `what is none is refused with a reason`(text: String, fault: String) throws {
        let decoder = SettingDecoder()
        let value = decoder.about("'url'") {
            decoder.decode(HTTPAddress.self, from: YAMLNode(text))
        }
        #expect(value == nil)
        #expect(decoder.diagnostics.map(\.message) == ["'url' \(fault)"])
        #expect(HTTPAddress(text) == nil)
    }

    @Test func `an address has a limit`() {
        let fits = "http://h/" + String(repeating: "x", count: 8192 - 9)
        #expect(HTTPAddress(fits) != nil)
        #expect(HTTPAddress(fits + "x") == nil)
        #expect(
            Reading(fits + "x", as: HTTPAddress.self).messages
                == ["'it' is longer than 8,192 bytes"])
    }

    @Test(arguments: [
        ("http://user:pass@h/p", "http://h/p"), ("http://u:p@ss@h/p@q", "http://h/p@q"),
        ("http://h/p@q", "http://h/p@q"), ("http://h?x@y", "http://h?x@y"),
        ("none@all", "none@all"),
    ])
    func `user and password are taken away`(address: String, rest: String) {
        #expect(HTTPAddress.withoutUser(address) == rest)
    }
}
