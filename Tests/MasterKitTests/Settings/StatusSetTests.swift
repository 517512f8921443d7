import MasterKit
import Testing

struct StatusSetTests {
    @Test(arguments: [
        ("200", [200...200]), ("2xx", [200...299]), ("5XX", [500...599]),
        ("200-299", [200...299]), ("'200 - 204'", [200...204]),
        ("[200, '202-299', 3xx]", [200...200, 202...299, 300...399]),
        ("['404']", [404...404]),
    ])
    func `codes and ranges are read, one alone or in a list`(
        yaml: String, codes: [ClosedRange<Int>]
    ) {
        #expect(Reading(yaml, as: StatusSet.self).value?.ranges.map(\.codes) == codes)
    }

    @Test(arguments: [
        ("ok", "1:1: 'it' must be a status such as 200, 2xx or 200-299, not 'ok'"),
        ("2.5", "1:1: 'it' must be a status such as 200, 2xx or 200-299, not the number 2.5"),
        ("20xx", "1:1: 'it' must be a status such as 200, 2xx or 200-299, not '20xx'"),
        ("200-", "1:1: 'it' must be a status such as 200, 2xx or 200-299, not '200-'"),
        ("null", "1:1: 'it' must be a status such as 200, 2xx or 200-299, not null"),
        ("{a: b}", "1:1: 'it' must be a status such as 200, 2xx or 200-299, not a mapping"),
        ("0xx", "1:1: 'it' has '0xx' for a status; a status has three digits, from 100 on"),
        ("2000", "1:1: 'it' has '2000' for a status; a status has three digits, from 100 on"),
        ("299-200", "1:1: 'it' has a range of statuses that ends before it begins; write 200-299"),
        ("[]", "1:1: 'it' names no status"),
        ("[200, x]", "1:7: 'it' must be a status such as 200, 2xx or 200-299, not 'x'"),
    ])
    func `what is none is told with its place`(yaml: String, place: String) {
        let reading = Reading(yaml, as: StatusSet.self)
        #expect(reading.value == nil)
        #expect(reading.places == [place])
    }

    @Test func `a code is in the set or not`() {
        let set = StatusSet([StatusRange(200...200), StatusRange(300...399)])
        #expect([199, 200, 201, 300, 399, 400].filter(set.contains) == [200, 300, 399])
        #expect("\(set)" == "200, 300-399")
    }

    @Test func `endless digits take no time`() {
        let digits = String(repeating: "9", count: 1_000_000)
        #expect(Reading(digits, as: StatusSet.self).messages.allSatisfy { $0.count < 200 })
    }
}
