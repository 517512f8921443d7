import MasterKit
import Testing

struct PropertyTests {
    @Test(arguments: [
        "branch", "number", "pi", "yes", "no", "nothing", "empty", "zero", "list", "mapping",
    ])
    func `a property keeps its type`(name: String) throws {
        let context = RenderContext.sample()
        #expect(try rendered("!Property \(name)") == context.properties[name])
        #expect(try rendered("!Property {key: \(name)}") == context.properties[name])
    }

    @Test func `a missing property without default is null`() throws {
        #expect(try rendered("!Property gone") == .null)
        #expect(try rendered("!Property {key: gone}") == .null)
    }

    @Test(arguments: [
        ("gone", true, true), ("nothing", true, false), ("empty", true, false),
        ("zero", true, false), ("no", true, false), ("none", true, false), ("bare", true, false),
        ("branch", false, false), ("number", false, false), ("yes", false, false),
        ("list", false, false), ("mapping", false, false),
    ])
    func `a default stands for what is missing or false, or for the missing alone`(
        name: String, byDefault: Bool, whenMissing: Bool
    ) throws {
        let value = RenderContext.sample().properties[name]
        #expect(
            try rendered("!Property {key: \(name), default: D}") == (byDefault ? "D" : value))
        #expect(
            try rendered("!Property {key: \(name), default: D, defaultWhenFalse: false}")
                == (whenMissing ? "D" : value))
        let inCode = Property(name, default: "D", defaultWhenFalse: false)
        #expect(try inCode.evaluate(in: .sample()) == (whenMissing ? "D" : value))
        #expect(
            try Property(name, default: "D").evaluate(in: .sample()) == (byDefault ? "D" : value))
    }

    @Test func `a default may be computed and may be of any kind`() throws {
        #expect(try rendered("!Property {key: gone, default: !Property branch}") == "main")
        #expect(try rendered("!Property {key: gone, default: [1, !Property number]}") == [1, 7])
        #expect(try rendered("!Property {key: gone, default: null}") == .null)
        #expect(
            try rendered("!Property {key: gone, default: 1.10}")?.numberValue?.spelling == "1.10")
    }

    @Test func `a name has a limit`() {
        let name = String(repeating: "x", count: Properties.maximumNameLength)
        #expect(Reading("!Property \(name)", as: Renderable<String>.self).messages.isEmpty)
        #expect(
            Reading("!Property \(name)x", as: Renderable<String>.self).messages
                == ["!Property needs the name of a property, as in !Property branch"])
    }
}
