import MasterJSON
import Testing

struct JSONValueTests {
    @Test func `literals make values of every kind`() {
        let value: JSONValue = [
            "null": nil, "bool": true, "int": 1, "double": 2.5, "text": "x", "list": [1, "a"],
        ]
        #expect(value["null"] == .null)
        #expect(value["bool"] == .bool(true))
        #expect(value["int"] == .int(1))
        #expect(value["double"] == .double(2.5))
        #expect(value["text"] == .string("x"))
        #expect(value["list"] == .array([.int(1), .string("a")]))
    }

    @Test func `a literal with a key twice keeps the last value`() {
        let value: JSONValue = ["a": 1, "b": 2, "a": 3]
        #expect(value.description == #"{"a":3,"b":2}"#)
    }

    @Test func `each convenience answers for its own kind alone`() {
        let value: JSONValue = [nil, true, 7, "x", [1], ["k": 1]]
        let list = value.arrayValue ?? []
        #expect(list.map(\.isNull) == [true, false, false, false, false, false])
        #expect(list.map(\.boolValue) == [nil, true, nil, nil, nil, nil])
        #expect(list.map(\.intValue) == [nil, nil, 7, nil, nil, nil])
        #expect(list.map(\.doubleValue) == [nil, nil, 7, nil, nil, nil])
        #expect(list.map(\.stringValue) == [nil, nil, nil, "x", nil, nil])
        #expect(list.map(\.arrayValue) == [nil, nil, nil, nil, [1], nil])
        #expect(list.map(\.objectValue) == [nil, nil, nil, nil, nil, ["k": 1]])
    }

    @Test(
        arguments: [
            (nil, false), (false, false), (true, true), (0, false), (0.0, false), (-0.0, false),
            (1, true), ("", false), ("0", true), ("false", false), ("False", true), ([], false),
            ([0], true), ([:], false),
            (["a": nil], true),
        ] as [(JSONValue, Bool)]
    )
    func `truth is that of Python, but the text false is false`(value: JSONValue, isTruthy: Bool) {
        #expect(value.isTruthy == isTruthy)
    }

    @Test func `a subscript out of range or of the wrong kind gives nothing`() {
        let value: JSONValue = [1, 2]
        #expect(value[1] == 2)
        #expect(value[2] == nil)
        #expect(value[-1] == nil)
        #expect(value["x"] == nil)
        #expect(JSONValue.null[0] == nil)
    }

    @Test func `keys can be set, replaced in place and removed`() {
        var value: JSONValue = ["a": 1, "b": 2, "c": 3]
        value["b"] = 5
        value["d"] = [:]
        value["a"] = nil
        value["c"] = .null
        #expect(value.description == #"{"b":5,"c":null,"d":{}}"#)
        value["d"]?["deep"] = true
        #expect(value["d"]?["deep"] == true)
    }

    @Test func `setting a key of a value that is no object makes it one`() {
        var value: JSONValue = "text"
        value["a"] = 1
        #expect(value == ["a": 1])
    }

    @Test func `objects are equal in whatever order, and hash alike`() {
        let left: JSONValue = ["a": 1, "b": ["x": 1, "y": 2]]
        let right: JSONValue = ["b": ["y": 2, "x": 1], "a": 1.0]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1])
        #expect(left != ["a": 1, "b": 2])
    }

    @Test(
        arguments: [
            ("text", "text"), (1, "1"), (true, "true"), (false, "false"), ([], "[]"),
            ([1, "a", true, nil], #"[1,"a",true,null]"#), (["k": 2.5], #"{"k":2.5}"#),
        ] as [(JSONValue, String)]
    )
    func `a value reads in text without quotes`(value: JSONValue, text: String) {
        #expect(value.text == text)
    }

    @Test func `null has no text`() {
        #expect(JSONValue.null.text == nil)
    }

    @Test func `an object is a collection of pairs in order`() {
        let object: JSONObject = ["z": 1, "a": 2]
        #expect(object.map { $0.key } == ["z", "a"])
        #expect(object.keys == ["z", "a"])
        #expect(object.values == [1, 2])
        #expect(object[1].value == 2)
        #expect(object["q", default: 9] == 9)
        #expect(object.merging(["a": 3, "n": 4]).description == #"{"z":1,"a":3,"n":4}"#)
        #expect(object.mapValues { [$0] }.description == #"{"z":[1],"a":[2]}"#)
    }
}
