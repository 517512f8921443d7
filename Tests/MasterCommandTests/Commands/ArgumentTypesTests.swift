import MasterKit
import Testing

@testable import MasterCommand

struct PropertyArgumentTests {
    @Test(arguments: [
        ("a=1", "a", JSONValue.string("1")),
        ("a=", "a", ""),
        ("a=b=c", "a", "b=c"),
        ("a= x ", "a", " x "),
        ("a:=1", "a", 1),
        ("a:=true", "a", true),
        ("a:=no", "a", "no"),
        ("a:=~", "a", .null),
        ("a:=[1, two]", "a", .array([1, "two"])),
        ("a:={b: {c: d}}", "a", .object(["b": ["c": "d"]])),
        ("a:b=c", "a:b", "c"),
    ])
    func `a property is a text, or a YAML value`(
        argument: String, name: String, value: JSONValue
    ) throws {
        let property = try PropertyArgument(argument)
        #expect(property.name == name)
        #expect(property.value == value)
    }

    @Test func `a number keeps its spelling`() throws {
        #expect(try PropertyArgument("v:=1.10").value.text == "1.10")
    }

    @Test(arguments: ["", "a", "=b", ":=b", "a:=[1", "a:={b: 1, b: 2}", "a:=!Property b"])
    func `anything else is refused with a sentence`(argument: String) {
        let error = #expect(throws: (any Error).self) { try PropertyArgument(argument) }
        #expect(error.map { "\($0)" }?.contains("-p ") == true)
    }
}

struct ReceiverArgumentTests {
    @Test(arguments: [
        (["run", "--receiver"], ["run", "--receiver=127.0.0.1:9980"]),
        (["run", "--receiver", "linux"], ["run", "--receiver=127.0.0.1:9980", "linux"]),
        (
            ["run", "--receiver", "--jobs", "1"],
            ["run", "--receiver=127.0.0.1:9980", "--jobs", "1"]
        ),
        (["run", "--receiver=:80"], ["run", "--receiver=:80"]),
        (["run", "--", "--receiver"], ["run", "--", "--receiver"]),
        ([], []),
    ])
    func `standing alone it gets the default address`(arguments: [String], completed: [String])
        throws
    {
        #expect(try ReceiverArgument.completed(arguments) == completed)
    }

    @Test func `an address after a space is refused, as a builder may stand there`() {
        #expect(throws: (any Error).self) {
            try ReceiverArgument.completed(["run", "--receiver", "localhost:80"])
        }
    }
}
