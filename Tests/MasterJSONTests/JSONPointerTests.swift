import MasterJSON
import Testing

struct JSONPointerTests {
    private let document: JSONValue = [
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
        "k\"l": 6, " ": 7, "m~n": 8, "~1": 9, "deep": ["0": [["x": "y"]]],
    ]

    @Test(
        arguments: [
            ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2),
            ("/e^f", 3), ("/g|h", 4), ("/i\\j", 5), ("/k\"l", 6), ("/ ", 7), ("/m~0n", 8),
            ("/~01", 9),
            ("/deep/0/0/x", "y"),
        ] as [(String, JSONValue)]
    )
    func `a pointer leads to its value`(pointer: String, value: JSONValue) throws {
        #expect(try document.at(pointer: pointer) == value)
        #expect(try JSONPointer(parsing: pointer).description == pointer)
    }

    @Test func `the empty pointer is the whole value`() throws {
        #expect(try document.at(pointer: "") == document)
    }

    @Test(arguments: [
        "/nope", "/foo/2", "/foo/-", "/foo/-1", "/foo/00", "/foo/01", "/foo/+1", "/foo/0/0",
        "/foo/99999999999999999999", "//", "/foo/",
    ])
    func `a pointer to nothing gives nothing`(pointer: String) throws {
        #expect(try document.at(pointer: pointer) == nil)
    }

    @Test(arguments: [
        ("$", "the JSON pointer '$' must begin with '/'; write '' for the whole value"),
        (
            "data[*].id",
            "the JSON pointer 'data[*].id' must begin with '/'; it names one value, so write a key or an index, as in '/data/0/id'"
        ),
        ("foo", "the JSON pointer 'foo' must begin with '/'; write '/foo'"),
        ("data.id", "the JSON pointer 'data.id' must begin with '/'; write '/data/id'"),
        (".a.b", "the JSON pointer '.a.b' must begin with '/'; write '/a/b'"),
        (
            "$.data[0].id",
            "the JSON pointer '$.data[0].id' must begin with '/'; write '/data/0/id'"
        ),
        ("$['a']['b']", "the JSON pointer '$['a']['b']' must begin with '/'; write '/a/b'"),
        ("/a~2", "'a~2' in a JSON pointer has a '~' without 0 or 1; write ~0 for ~ and ~1 for /"),
        ("/a~", "'a~' in a JSON pointer has a '~' without 0 or 1; write ~0 for ~ and ~1 for /"),
    ])
    func `a misspelt pointer is an error`(pointer: String, message: String) {
        let error = #expect(throws: JSONPointerError.self) { try JSONPointer(parsing: pointer) }
        #expect(error?.description == message)
    }
}
