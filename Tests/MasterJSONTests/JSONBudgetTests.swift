import MasterJSON
import Testing

struct JSONBudgetTests {
    private static func nested(_ depth: Int, in list: Bool) -> JSONValue {
        (0..<depth).reduce("x") { value, _ in list ? [value] : ["k": value] }
    }

    @Test(arguments: [true, false])
    func `depth is bounded, however small a value is`(_ list: Bool) throws {
        var budget = JSONBudget()
        try budget.take(Self.nested(100, in: list))
        let error = #expect(throws: JSONTooLarge.self) {
            try budget.take(Self.nested(101, in: list))
        }
        #expect(error?.description == "nests deeper than 100 levels")
        #expect(throws: JSONTooLarge.self) {
            try budget.take(Self.nested(2, in: list), depth: 99)
        }
    }

    @Test func `a value that holds another one twice, again and again, is refused at once`() {
        let doubled = (0..<60).reduce(JSONValue.string("x")) { value, _ in [value, value] }
        var budget = JSONBudget()
        let error = #expect(throws: JSONTooLarge.self) { try budget.take(doubled) }
        #expect(error?.description == "has more than 250000 values")
    }

    @Test func `bytes are bounded over all that is taken`() throws {
        var budget = JSONBudget(bytes: 2 << 20)
        let text = JSONValue.string(String(repeating: "é", count: 1 << 19))
        try budget.take(text)
        try budget.take(text)
        let error = #expect(throws: JSONTooLarge.self) { try budget.take(["k": 1]) }
        #expect(error?.description == "is larger than 2 MiB")
    }
}
