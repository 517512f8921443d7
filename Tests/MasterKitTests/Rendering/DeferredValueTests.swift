import MasterKit
import Testing

struct DeferredValueTests {
    @Test func `any value is kept until it is rendered`() throws {
        let yaml = "{a: [1.10, !Property branch], !!str b: !!str 1}"
        let value = try #require(Reading(yaml, as: DeferredValue.self).value)
        let json = try value.render(in: .sample())
        #expect(json == ["a": [1.10, "main"], "b": "1"])
        #expect(json["a"]?[0]?.numberValue?.spelling == "1.10")
    }

    @Test func `what can't be a value is found at load`() {
        #expect(
            Reading("{? [a] : b}", as: DeferredValue.self).messages
                == ["'it' must be a text, not a list"])
        #expect(
            Reading("{? [a] : !Property b}", as: DeferredValue.self).messages
                == ["'it' must be a text, not a list"])
    }
}
