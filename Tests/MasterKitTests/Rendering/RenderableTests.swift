import MasterKit
import Testing

struct RenderableTests {
    @Test func `a plain value is checked and known at load`() {
        let right = Reading("5m", as: Renderable<Duration>.self)
        #expect(right.value?.constant == .seconds(300))
        let wrong = Reading("soon", as: Renderable<Duration>.self)
        #expect(wrong.value == nil)
        #expect(wrong.messages.first?.hasPrefix("'it' must be a duration") == true)
    }

    @Test func `an expression is computed anew for each build`() throws {
        let value = try #require(Reading("!Property number", as: Renderable<Int>.self).value)
        #expect(value.constant == nil)
        var context = RenderContext.sample()
        #expect(try value.render(in: context) == 7)
        context.properties.set("number", 8, source: "test")
        #expect(try value.render(in: context) == 8)
    }

    @Test func `expressions stand at any depth, also as keys`() throws {
        let value = try rendered(
            """
            - !Property number
            - {!Property branch: [{deep: !Interpolate "%(prop:branch)s!"}], plain: 1.10}
            """)
        #expect(value == [7, ["main": [["deep": "main!"]], "plain": 1.10]])
        #expect(value?[1]?["plain"]?.numberValue?.spelling == "1.10")
    }

    @Test func `wrong plain parts of a computed value are found at load`() {
        let reading = Reading("[1, !Property number, two]", as: Renderable<[Int]>.self)
        #expect(reading.places == ["1:23: 'it' must be a whole number, not 'two'"])
    }

    @Test func `an expression may stand for a renderable that is optional in either way`() throws {
        let outer = Reading("!Property branch", as: Renderable<String>?.self).value
        #expect(try outer??.render(in: .sample()) == "main")
        let inner = try #require(Reading("!Property nothing", as: Renderable<String?>.self).value)
        #expect(try inner.render(in: .sample()) == .some(nil))
        let null = Reading("null", as: Renderable<String>?.self)
        #expect(null.messages.isEmpty)
        #expect(null.value != nil && null.value??.constant == nil)
        #expect(Reading("null", as: Renderable<String?>.self).value?.constant == .some(nil))
    }

    @Test(arguments: [
        ("!Property branch", "'it' must be a duration such as 30, 30s, 5m or 1h30m, not 'main'"),
        ("!Property list", "'it' must be a duration such as 30, 30s, 5m or 1h30m, not a list"),
        (
            "!Property gone",
            "gone is not set; 'it' needs this property: set it with -p gone=VALUE, or write "
                + "!Property {key: gone, default: VALUE}"
        ),
    ])
    func `a computed value of the wrong type is an error with its place`(
        yaml: String, message: String
    ) throws {
        let value = try #require(Reading("\n\n  \(yaml)", as: Renderable<Duration>.self).value)
        let error = #expect(throws: RenderError.self) { try value.render(in: .sample()) }
        #expect(error?.message == message)
        #expect(error?.range?.start.description == "3:3")
        #expect(error?.description == "line 3: \(message)")
    }

    @Test(arguments: [
        ("!Secret token", "s3cr3t-with-more-than-forty-characters-in-it-all"),
        ("!Interpolate 'x%(secret:token)s'", "s3cr3t-with-more-than-forty-characters-in-it-all"),
        ("!Property copied", "hunter2!"), ("[!Secret token]", "hunter2!"),
        ("{a: !Secret token}", "hunter2!"), ("{!Secret token: 1}", "hunter2!"),
    ])
    func `no part of a secret is in the error`(yaml: String, secret: String) throws {
        var context = RenderContext.sample(secrets: ["token": secret])
        context.properties.set("copied", .string(secret), source: "test")
        for error in try [
            Self.error(of: yaml, as: Duration.self, in: context),
            Self.error(of: yaml, as: HTTPAddress.self, in: context),
            Self.error(of: yaml, as: LogEncoding.self, in: context),
            Self.error(of: yaml, as: Int.self, in: context),
        ] {
            #expect(error.message.hasPrefix("'it' must be "))
            #expect(error.message.contains("has a secret in it"))
            for start in 0...(secret.count - 4) {
                let part = secret.dropFirst(start).prefix(4)
                #expect(!error.message.contains(part))
            }
        }
    }

    @Test func `the port of a secret address is not shown`() throws {
        let context = RenderContext.sample(secrets: ["hook": "http://user:hunter2"])
        let error = try Self.error(of: "!Secret hook", as: HTTPAddress.self, in: context)
        #expect(!error.message.contains("hunter2"))
        let open = RenderContext.sample()
        let plain = try Self.error(of: "!Interpolate 'http://h:x'", as: HTTPAddress.self, in: open)
        #expect(plain.message.hasSuffix("has an invalid port; a port is a number from 1 to 65535"))
    }

    private static func error<Value: SettingValue>(
        of yaml: String, as type: Value.Type, in context: RenderContext
    ) throws -> RenderError {
        let value = try #require(Reading(yaml, as: Renderable<Value>.self).value)
        return try #require(#expect(throws: RenderError.self) { try value.render(in: context) })
    }

    @Test func `keys that come out alike or are no texts are an error`() throws {
        let alike = try #require(
            Reading("\n{main: 1, !Property branch: 2}", as: Renderable<JSONValue>.self).value)
        let error = #expect(throws: RenderError.self) { try alike.render(in: .sample()) }
        #expect(error?.description == "line 2: two keys of this mapping have the same value")
        for property in ["list", "gone", "mapping"] {
            let key = try #require(
                Reading("{!Property \(property): 2}", as: Renderable<JSONValue>.self).value)
            let error = #expect(throws: RenderError.self) { try key.render(in: .sample()) }
            #expect(error?.message.hasSuffix("not a text") == true)
        }
        #expect(try rendered("{!Property number: 2}") == ["7": 2])
    }

    @Test func `values are made in code, too`() throws {
        #expect(try Renderable(5).render(in: RenderContext()) == 5)
        #expect(try Renderable<String>(Property("branch")).render(in: .sample()) == "main")
        let wrong = Renderable<Int>(Property("branch"))
        let error = #expect(throws: RenderError.self) { try wrong.render(in: .sample()) }
        #expect(error?.description == "the value must be a whole number, not 'main'")
    }

    @Test func `a value of many items is read and rendered in no time`() throws {
        let items = (0..<20_000).map { "!Interpolate 'n\($0) %(prop:branch)s'" }
        let value = try rendered("[\(items.joined(separator: ", "))]")
        #expect(value?.arrayValue?.count == 20_000)
        #expect(value?[19_999] == "n19999 main")
    }

    @Test func `a value may be as deep as values can be`() throws {
        let depth = JSONValue.maximumDepth
        let open = String(repeating: "[", count: depth)
        let close = String(repeating: "]", count: depth)
        var value = try #require(try rendered("\(open)!Property branch\(close)"))
        for _ in 0..<depth { value = try #require(value[0]) }
        #expect(value == "main")
        #expect(try rendered("!FlattenList \(open)a, !Property number\(close)") == ["a", 7])
    }
}
