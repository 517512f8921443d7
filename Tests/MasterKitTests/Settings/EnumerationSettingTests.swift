import MasterKit
import Testing

struct EnumerationSettingTests {
    private enum Mode: String, SettingEnumeration {
        case always
        case onChange = "on-change"
        case never
    }

    @Test(arguments: ["always", "on-change", "'never'"])
    func `a name is read`(yaml: String) {
        #expect(Reading(yaml, as: Mode.self).value != nil)
    }

    @Test(arguments: [
        ("allways", "'it' can't be 'allways'; did you mean 'always'?"),
        ("Never", "'it' can't be 'Never'; did you mean 'never'?"),
        ("onChange", "'it' can't be 'onChange'; did you mean 'on-change'?"),
        ("sometimes", "'it' can't be 'sometimes'; choose always, on-change or never"),
        ("1", "'it' can't be '1'; choose always, on-change or never"),
        ("null", "'it' must be one of always, on-change, never, not null"),
        ("[never]", "'it' must be one of always, on-change, never, not a list"),
    ])
    func `another word gets a suggestion`(yaml: String, message: String) {
        let reading = Reading(yaml, as: Mode.self)
        #expect(reading.value == nil)
        #expect(reading.messages == [message])
    }

    @Test func `a huge word is cut in the message`() {
        let reading = Reading(String(repeating: "x", count: 100_000), as: Mode.self)
        #expect(reading.messages.allSatisfy { $0.count < 120 })
    }

    @Test(arguments: Results.allCases)
    func `a result is read by its name and by its code`(results: Results) {
        #expect(Reading(results.name, as: Results.self).value == results)
        #expect(Reading("\(results.rawValue)", as: Results.self).value == results)
    }

    @Test(arguments: [
        ("sucess", "'it' can't be 'sucess'; did you mean 'success'?"),
        (
            "7",
            "'it' can't be 7; choose 0 success, 1 warnings, 2 failure, 3 skipped, 4 exception, "
                + "5 retry or 6 cancelled"
        ),
        (
            "-1",
            "'it' can't be -1; choose 0 success, 1 warnings, 2 failure, 3 skipped, 4 exception, "
                + "5 retry or 6 cancelled"
        ),
        (
            "'2'",
            "'it' can't be '2'; choose success, warnings, failure, skipped, exception, retry "
                + "or cancelled"
        ),
    ])
    func `another result is refused`(yaml: String, message: String) {
        #expect(Reading(yaml, as: Results.self).messages == [message])
    }
}
