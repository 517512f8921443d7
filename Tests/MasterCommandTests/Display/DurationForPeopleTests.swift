import Testing

@testable import MasterCommand

struct DurationForPeopleTests {
    @Test(arguments: [
        (Duration.milliseconds(-5), "0.00 s"),
        (.zero, "0.00 s"),
        (.milliseconds(40), "0.04 s"),
        (.milliseconds(994), "0.99 s"),
        (.milliseconds(999), "1.0 s"),
        (.milliseconds(3140), "3.1 s"),
        (.milliseconds(9960), "10 s"),
        (.milliseconds(59_600), "1 m 00 s"),
        (.seconds(302), "5 m 02 s"),
        (.milliseconds(3_599_600), "1 h 00 m"),
        (.seconds(90_000), "25 h 00 m"),
    ])
    func `a duration is as precise as is worth reading`(duration: Duration, text: String) {
        #expect(duration.forPeople == text)
    }
}
