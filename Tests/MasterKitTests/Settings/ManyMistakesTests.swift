import MasterKit
import Testing

/// Files with thousands of errors: a hundred are shown, in time linear in the file size.
struct ManyMistakesTests {
    private static let last = "note: 400 more mistakes are not shown"

    @Test(arguments: ["!Equal [a]", "!Env NOT_THERE", "!Foo x", "!Interpolate '%(x)s'"])
    func `a hundred mistakes are shown, and how many more there are`(_ mistake: String) {
        let yaml = "[" + Array(repeating: mistake, count: 500).joined(separator: ", ") + "]"
        let reading = Reading(yaml, as: Renderable<JSONValue>.self)
        #expect(reading.value == nil)
        #expect(reading.messages.count == 101)
        #expect(reading.messages.last == Self.last)
        #expect(reading.decoder.hasErrors)
    }

    @Test func `the mistakes of one text are counted in the same way`() {
        let text = String(repeating: "%(nope:x)s ", count: 500)
        let reading = Reading("!Interpolate '\(text)'", as: Renderable<JSONValue>.self)
        #expect(reading.messages.count == 101)
        #expect(reading.messages.last == Self.last)
    }

    @Test func `warnings do not hide errors`() {
        let warnings = Array(repeating: "'%(prop:x)s'", count: 300).joined(separator: ", ")
        let reading = Reading("[\(warnings), !Equal [a]]", as: Renderable<JSONValue>.self)
        #expect(reading.messages.count { $0.hasPrefix("warning: ") } <= 100)
        #expect(reading.messages.contains("!Equal is written !Equal [value, value]"))
    }

    @Test(arguments: ["!Equal [a]", "!Interpolate '%(x)s'", "!Env NOT_THERE"])
    func `mistakes on one long line take time that grows with the line`(_ mistake: String) {
        func time(_ count: Int) -> Duration {
            let yaml = "[" + Array(repeating: mistake, count: count).joined(separator: ", ") + "]"
            return ContinuousClock().measure {
                #expect(Reading(yaml, as: Renderable<JSONValue>.self).value == nil)
            }
        }
        _ = time(100)
        let (short, long) = (time(1_000), time(8_000))
        #expect(long < short * 24, "\(short), \(long)")
    }
}
