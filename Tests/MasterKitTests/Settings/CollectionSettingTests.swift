import MasterKit
import Testing

struct CollectionSettingTests {
    @Test func `every wrong item of a list is told`() {
        let reading = Reading("[1, x, 2, [3], null]", as: [Int].self)
        #expect(reading.value == nil)
        #expect(
            reading.places == [
                "1:5: 'it' must be a whole number, not 'x'",
                "1:11: 'it' must be a whole number, not a list",
                "1:16: 'it' must be a whole number, not null",
            ])
    }

    @Test(arguments: [
        ("a", "'a'; write [a]"), ("linux-9.1", "'linux-9.1'; write [linux-9.1]"),
        ("a b", "'a b'"), ("'*'", "'*'"), ("None", "'None'; write null"), ("{a: b}", "a mapping"),
        ("null", "null"),
    ])
    func `a lone value is no list`(yaml: String, wording: String) {
        let reading = Reading(yaml, as: [String].self)
        #expect(reading.messages == ["'it' must be a list, not \(wording)"])
        #expect(Reading("[]", as: [String].self).value == [])
    }

    @Test func `a mapping keeps its order and the spelling of its keys`() {
        let value = Reading("{z: 1, 1.10: 2, a: 3}", as: JSONObject.self).value
        #expect(value?.map { $0.key } == ["z", "1.10", "a"])
    }

    @Test func `every wrong part of a mapping is told`() {
        let texts = ExactDictionary<String?>.self
        let reading = Reading("{a: [x], ? [b] : {}, c: null, 5: d}", as: texts)
        #expect(reading.value == nil)
        #expect(
            reading.places == [
                "1:5: 'it' must be a text, not a list", "1:12: 'it' must be a text, not a list",
                "1:18: 'it' must be a text, not an empty mapping",
            ])
        let right = Reading("{c: null, 5: d}", as: texts).value
        #expect(right?.map { "\($0.key)=\($0.value ?? "-")" } == ["c=-", "5=d"])
    }

    @Test func `two keys with one text are an error, never a silent loss`() {
        let reading = Reading("{true: 1, True: 2}", as: JSONObject.self)
        #expect(reading.value == nil)
        #expect(reading.places == ["1:11: 'it' has the key 'true' twice; keep one"])
    }

    @Test func `any value keeps types and spellings`() {
        let value = Reading(
            "{a: 1.10, b: true, c: null, d: [0x1F, '5', !!str 5], e: {f: ''}}", as: JSONValue.self
        ).value
        #expect(value?["a"]?.numberValue?.spelling == "1.10")
        #expect(value?["b"] == true)
        #expect(value?["c"] == .null)
        #expect(value?["d"]?[0]?.numberValue?.spelling == "0x1F")
        #expect(value?["d"]?[1] == "5")
        #expect(value?["d"]?[2] == "5")
        #expect(value?["e"]?["f"] == "")
    }

    @Test func `a mapping of any values is a mapping`() {
        let list = Reading("[a]", as: JSONObject.self)
        #expect(list.messages == ["'it' must be a mapping, not a list"])
        #expect(Reading("{}", as: JSONObject.self).value == JSONObject())
    }
}
