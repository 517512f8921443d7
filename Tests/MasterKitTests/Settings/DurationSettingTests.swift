import MasterKit
import Testing

struct DurationSettingTests {
    @Test(arguments: [
        ("30", Duration.seconds(30)), ("0", .zero), ("2.5", .milliseconds(2500)),
        ("30s", .seconds(30)), ("5m", .seconds(300)), ("1h30m", .seconds(5400)),
        ("250ms", .milliseconds(250)), ("300ms", .milliseconds(300)), ("0.1", .milliseconds(100)),
        ("1.5h", .seconds(5400)), ("1d", .seconds(86_400)), ("1m1s1ms", .milliseconds(61_001)),
        ("'30'", .seconds(30)), ("1e3", .seconds(1000)),
    ])
    func `a duration is read`(yaml: String, duration: Duration) {
        #expect(Reading(yaml, as: Duration.self).value == duration)
    }

    @Test(arguments: [
        "-1", "-1s", "soon", "''", "5 m", "5M", "m", "1h-5m", "1.2.3s", "5x", "1hm", ".inf",
        ".nan", "1e999", "3660000d", "99999999999999999999", "٣s", "1é", "[5]", "null",
    ])
    func `what is none is refused with what may be written`(yaml: String) {
        let reading = Reading(yaml, as: Duration.self)
        #expect(reading.value == nil)
        #expect(reading.messages.count == 1)
        #expect(
            reading.messages.first?.hasPrefix(
                "'it' must be a duration such as 30, 30s, 5m or 1h30m, not ") == true)
    }

    @Test func `hostile spellings take no time`() {
        let digits = String(repeating: "9", count: 1_000_000)
        #expect(Duration(spelling: digits) == nil)
        #expect(Duration(spelling: digits + "s") == nil)
        #expect(Duration(spelling: String(repeating: "1s", count: 100_000)) == .seconds(100_000))
        #expect(Duration(spelling: "1" + String(repeating: "m", count: 1_000_000)) == nil)
    }
}
