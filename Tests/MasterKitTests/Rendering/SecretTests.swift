import MasterKit
import Testing

struct SecretTests {
    @Test func `a secret gives its value`() throws {
        let context = RenderContext.sample(secrets: ["token": "hunter2!"])
        #expect(try rendered("!Secret token", in: context) == "hunter2!")
        #expect(try rendered("[!Secret token]", in: context, scope: .service) == ["hunter2!"])
    }

    @Test func `a missing secret is an error that names it`() throws {
        let value = try #require(Reading("\n!Secret x", as: Renderable<String>.self).value)
        let error = #expect(throws: RenderError.self) { try value.render(in: .sample()) }
        #expect(
            error?.description
                == "line 2: no provider of secrets has 'x'; check 'secrets' in master.yaml")
    }

    @Test func `every use is noted with its place`() {
        let reading = Reading(
            """
            - !Secret one
            - {a: !Interpolate "x %(secret:two)s %(secret:two)s"}
            - !Interpolate ["%(kw:a)s", {a: !Secret three}]
            - !Property {key: a, default: !Secret four}
            - !Equal [!Secret five, a]
            - plain
            """, as: Renderable<JSONValue>.self)
        #expect(reading.messages.isEmpty)
        let uses = reading.decoder.secretUses.map { "\($0.name) \($0.range?.description ?? "-")" }
        #expect(
            uses == [
                "one 1:3-1:14", "two 2:32-2:35", "two 2:47-2:50", "three 3:33-3:46",
                "four 4:31-4:43", "five 5:11-5:23",
            ])
    }

    @Test func `a set of values masks itself`() {
        let values = SecretValues(["token": "hunter2!"])
        #expect(values["token"] == "hunter2!")
        #expect(values["other"] == nil)
        #expect(values.mask.apply(to: "a hunter2! b") == "a <token> b")
    }
}
