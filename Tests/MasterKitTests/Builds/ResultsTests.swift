import MasterKit
import Testing

struct ResultsTests {
    @Test(arguments: [
        ("success", 0), ("warnings", 1), ("failure", 2), ("skipped", 3), ("exception", 4),
        ("retry", 5), ("cancelled", 6),
    ])
    func `names and codes are those of the data API`(name: String, code: Int) {
        #expect(Results(name: name)?.rawValue == code)
        #expect(Results(rawValue: code)?.name == name)
    }

    @Test(arguments: ["", "Success", "failed", "0"])
    func `no other name is a result`(name: String) {
        #expect(Results(name: name) == nil)
    }

    @Test func `results are ordered from best to worst`() {
        let ordered = Results.allCases.sorted { $0.severity < $1.severity }
        #expect(
            ordered == [
                .skipped, .success, .warnings, .failure, .exception, .retry, .cancelled,
            ])
    }

    @Test(arguments: Results.allCases, Results.allCases)
    func `the worse of two wins, in either order`(one: Results, other: Results) {
        let worst = one.severity > other.severity ? one : other
        #expect(Results.worst(one, other) == worst)
        #expect(Results.worst(other, one) == worst)
    }

    @Test(arguments: Results.allCases)
    func `a missing result loses`(results: Results) {
        #expect(Results.worst(results, nil) == results)
        #expect(Results.worst(nil, results) == results)
    }

    @Test func `a missing result has a text`() {
        #expect(Results.worst(nil, nil) == nil)
        #expect(Results.text(nil) == "not finished")
        #expect(Results.text(.retry) == "retry")
    }
}
