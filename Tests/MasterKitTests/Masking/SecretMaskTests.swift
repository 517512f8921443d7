import FoundationEssentials
import MasterKit
import Testing

struct SecretMaskTests {
    private func mask(_ secrets: KeyValuePairs<String, String>) -> SecretMask {
        SecretMask(secrets.map { (name: $0.key, value: $0.value) })
    }

    @Test func `values are replaced by their names`() {
        let mask = mask(["token": "hunter2!", "key": "s3cr3t-k3y"])
        #expect(
            mask.apply(to: "a hunter2! b s3cr3t-k3y hunter2!hunter2!")
                == "a <token> b <key> <token><token>"
        )
        #expect(mask.apply(to: "hunter2") == "hunter2")
        #expect(mask.apply(to: "") == "")
    }

    @Test(arguments: ["", " ", "\n\t "])
    func `a blank value masks nothing`(value: String) {
        let mask = mask(["blank": value])
        #expect(mask.isEmpty)
        #expect(mask.apply(to: "a b\n\t c") == "a b\n\t c")
    }

    @Test func `the longest value wins, and the first of two names`() {
        let mask = mask(["short": "abcd", "long": "abcdefgh", "again": "abcd"])
        #expect(mask.apply(to: "abcdefgh abcd abcdefg") == "<long> <short> <short>efg")
    }

    @Test func `of values that overlap nothing is left`() {
        let mask = mask(["a": "abcdef", "b": "defghi", "c": "zzzz"])
        #expect(mask.apply(to: "-abcdefghi-") == "-<a><b>-")
        #expect(mask.apply(to: "-zzzzzz-") == "-<c>-")
    }

    @Test func `values of one or two characters are replaced, too`() {
        #expect(mask(["a": "x"]).apply(to: "axbx") == "a<a>b<a>")
        #expect(mask(["a": "é"]).apply(to: "é") == "<a>")
    }

    @Test func `a value is found without the line end of its file`() {
        #expect(mask(["a": "hunter2\n"]).apply(to: "x hunter2 y hunter2\n") == "x <a> y <a>")
    }

    @Test func `a value is found in lower case, as hosts are written`() {
        let mask = mask(["host": "Hidden.Example-7"])
        #expect(mask.apply(to: "no hidden.example-7 at Hidden.Example-7") == "no <host> at <host>")
    }

    @Test(arguments: [JSONWriter.compact, .python, .pretty])
    func `a value is found in JSON`(writer: JSONWriter) {
        let value = "p\"a\\s/s\né😀<&>"
        let json = writer.string(["password": .string(value)])
        let masked = mask(["pw": value]).apply(to: json)
        #expect(masked == writer.string(["password": "<pw>"]))
        let nested = writer.string(["body": .string(json)])
        #expect(!mask(["pw": value]).apply(to: nested).contains("a\\\\"))
    }

    @Test(arguments: [
        #"p\"a\\s\/sé"#, #"p\"a\\s\/s\u00e9"#, "p%22a%5Cs%2Fs%C3%A9", "p%22a%5cs%2fs%c3%a9",
        "p%22a%5Cs/s%C3%A9",
    ])
    func `a value is found escaped and percent-encoded`(form: String) {
        #expect(mask(["pw": "p\"a\\s/sé"]).apply(to: "x=\(form)&y") == "x=<pw>&y")
    }

    @Test(arguments: ["a%20b%26c%21~%2A", "a%20b%26c!~*", "a+b%26c%21~%2A", "a+b%26c%21%7E*"])
    func `a value is found as URLs and forms have it`(form: String) {
        #expect(mask(["pw": "a b&c!~*"]).apply(to: "x=\(form)&y") == "x=<pw>&y")
    }

    @Test(arguments: ["", "u", "us", "user", "user:", "some:user:"], ["", "x", "xy", "xyz"])
    func `a value is found in base64, whatever surrounds it`(before: String, after: String) {
        let value = "s3cr3t?>~pass"
        let encoded = Data("\(before)\(value)\(after)".utf8).base64EncodedString()
        let masked = mask(["pw": value]).apply(to: "Basic \(encoded)")
        #expect(masked.contains("<pw>"))
        let rest = masked.replacing("<pw>", with: "")
        #expect(rest.utf8.count <= 6 + (before.utf8.count + after.utf8.count) * 8 / 6 + 6)
    }

    @Test func `a Basic header shows nothing of the password`() {
        for user in ["u", "us", "use", "user"] {
            let encoded = Data("\(user):hunter2-long".utf8).base64EncodedString()
            let masked = mask(["pw": "hunter2-long"]).apply(to: "Authorization: Basic \(encoded)")
            let shown = Data("\(user):".utf8).base64EncodedString()
            #expect(masked.hasPrefix("Authorization: Basic \(shown.prefix(user.utf8.count))"))
            #expect(masked.contains("<pw>"))
            #expect(masked.utf8.count <= 21 + shown.utf8.count + 4 + 2, "\(masked)")
        }
    }

    @Test func `URL-safe base64 is found`() {
        let value = "~~~???~~~???"
        let encoded = Data(value.utf8).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_")
        #expect(mask(["pw": value]).apply(to: encoded) == "<pw>")
    }

    @Test func `the longer lines of a value are found alone`() {
        let value = """
            -----BEGIN PRIVATE KEY-----
            MIIEpAIBAAKCAQEA75GcB1cnPUDn
            short
            WZXvIgO3M1yuCzlxXW5OmIeQf5nJ
            -----END PRIVATE KEY-----
            """
        let mask = mask(["key": value])
        #expect(mask.apply(to: value) == "<key>")
        #expect(mask.apply(to: value.replacing("\n", with: "\r\n")) == "<key>")
        #expect(
            mask.apply(to: value.replacing("\n", with: "\n| "))
                == "-----BEGIN PRIVATE KEY-----\n| <key>\n| short\n| <key>\n| "
                + "-----END PRIVATE KEY-----"
        )
        #expect(mask.apply(to: "| WZXvIgO3M1yuCzlxXW5OmIeQf5nJ") == "| <key>")
    }

    @Test func `keys, texts and numbers of JSON are masked at any depth`() {
        let mask = mask(["pin": "123456", "token": "hunter2!"])
        let value: JSONValue = [
            "hunter2!": ["a hunter2!", 123456, 1.5, nil, true, ["x": 91_234_567]]
        ]
        #expect(
            mask.apply(to: value) == [
                "<token>": ["a <token>", "<pin>", 1.5, nil, true, ["x": "9<pin>7"]]
            ]
        )
        #expect(mask.apply(to: ["k": "hunter2!"] as JSONObject) == ["k": "<token>"])
    }

    @Test func `a number stays one unless a secret is in it`() {
        let mask = mask(["a": "hunter2!", "b": "6a6b6c6d"])
        for number in 0..<1_000 {
            #expect(mask.apply(to: JSONValue.int(number)) == .int(number))
        }
    }

    static let nasty = #"p&<w>"o'r\d%41/+=? é"#

    @Test(arguments: [
        "p&amp;&lt;w&gt;&quot;o&#39;r\\d%41/+=? é", "p&amp;&lt;w&gt;&#34;o&#x27;r\\d%41/+=? é",
        "p&amp;&lt;w&gt;\"o&apos;r\\d%41/+=? é", "p&amp;&lt;w&gt;\"o'r\\d%41/+=? é",
        "70263c773e226f27725c642534312f2b3d3f20c3a9", "70263C773E226F27725C642534312F2B3D3F20C3A9",
        #"p&<w>"o'"'"'r\d%41/+=? é"#, #"p&<w>"o'\''r\d%41/+=? é"#,
        #"p\&\<w\>\"o\'r\\d%41/+=\?\ é"#, #"p&<w>"o\'r\\d%41/+=? é"#,
        #"p\u0026\u003Cw\u003E\u0022o\u0027r\\d%41/\u002B=? \u00E9"#,
        #"p&<w>\"o'r\\d%41\/+=? \u00e9"#, #"p\u0026\u003cw\u003e\"o'r\\d%41/+=? é"#,
        #"p&<w>\"o'"'"'r\\d%41/+=? é"#, #"p&amp;&lt;w&gt;&quot;o&#39;r\\d%41/+=? é"#,
    ])
    func `a value is found escaped for HTML, shells, Python and in hexadecimal`(form: String) {
        #expect(mask(["key": Self.nasty]).apply(to: "(\(form))") == "(<key>)")
    }

    @Test(arguments: [4, 64, 76], ["", "x", "xy", "user:"])
    func `base64 is found where it is broken into lines`(width: Int, before: String) {
        let value = String(repeating: "a secret of some length ", count: 9)
        let encoded = Data((before + value + "!").utf8).base64EncodedString()
        for lineEnd in ["\n", "\r\n"] {
            let lines = stride(from: 0, to: encoded.count, by: width).map { start in
                encoded.dropFirst(start).prefix(width)
            }
            let masked = mask(["key": value]).apply(to: lines.joined(separator: lineEnd))
            #expect(masked.contains("<key>"))
            #expect(masked.utf8.count < before.utf8.count * 2 + 24, "\(masked)")
        }
    }

    @Test(arguments: [8, 60, 61], ["", "x", "user:"])
    func `hexadecimal is found where it is broken into lines`(width: Int, before: String) {
        let value = "a secret that is longer than thirty bytes, as tokens are"
        for digits in ["0123456789abcdef", "0123456789ABCDEF"].map(Array.init) {
            let bytes = (before + value + "!").utf8
            let encoded = String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
            for lineEnd in ["\n", "\r\n"] {
                let lines = stride(from: 0, to: encoded.count, by: width).map { start in
                    encoded.dropFirst(start).prefix(width)
                }
                let masked = mask(["key": value]).apply(to: lines.joined(separator: lineEnd))
                #expect(masked.contains("<key>"))
                #expect(masked.utf8.count < before.utf8.count * 2 + 16, "\(masked)")
            }
        }
    }

    @Test func `bytes that are not UTF-8 are masked`() {
        let bytes: [UInt8] = [0xFF] + Array("hunter2!".utf8) + [0xC3]
        #expect(mask(["t": "hunter2!"]).apply(to: bytes) == [0xFF] + Array("<t>".utf8) + [0xC3])
    }

    @Test(arguments: [
        ("", "blank"), ("  ", "blank"), ("a", "only 1 character;"), ("abc", "only 3 characters"),
        (String(repeating: "a", count: 16_385), "has 16385 bytes, and at most 16384"),
    ])
    func `values that are too short or too long are refused`(value: String, reason: String) throws {
        guard case .refused(let sentence) = SecretVerdict(name: "t", value: value) else {
            Issue.record("not refused")
            return
        }
        #expect(sentence.contains("'t'") && sentence.contains(reason))
    }

    @Test func `values under eight characters are warned about`() {
        for value in ["abcd", "1234567"] {
            guard case .warning(let sentence) = SecretVerdict(name: "t", value: value) else {
                Issue.record("no warning for \(value)")
                continue
            }
            #expect(sentence.contains("at least 8"))
        }
        #expect(SecretVerdict(name: "t", value: "12345678") == .good)
    }
}
