import MasterKit
import Testing

struct InterpolateTests {
    @Test(arguments: [
        ("'%(prop:branch)s-%(prop:number)s'", "main-7"),
        ("'%(prop:gone:-x)s%(prop:empty:~y)s%(prop:yes:+z)s'", "xyz"),
        ("'%(prop:no:#?|t|f)s %(prop:no:?|t|f)s'", "f t"),
        ("'%(prop:gone:-%(prop:branch)s)s 100 %%'", "main 100 %"),
        ("'%(src::branch)s %(src::revision)s %(src:lib:revision)s'", "dev abc def"),
        ("'%(src:other:revision:-none)s'", "none"),
        ("'%(worker:os)s'", "linux"), ("'%(secret:token)s'", "hunter2!"),
        ("['%(kw:a)s/%(kw:b)s', {a: 1, b: !Property branch}]", "1/main"),
        ("['%(kw:a)s', {a: !Interpolate '%(prop:number)s'}]", "7"),
        ("'%(kw:b:-zz)s%(kw:b:~y)s%(kw:b:+x)s%(kw:b:?|t|f)s%(kw:b:#?|T|F)s'", "zzyfF"),
        ("['%(kw:a:-x)s%(kw:b:-zz)s', {a: 1}]", "1zz"),
        ("['%s and %s', 1.10, !Property branch]", "1.10 and main"),
        ("['plain']", "plain"), ("''", ""),
    ])
    func `a text gets its values`(yaml: String, text: String) throws {
        let context = RenderContext.sample(secrets: ["token": "hunter2!"])
        #expect(try rendered("!Interpolate \(yaml)", in: context) == .string(text))
    }

    @Test func `a mistake is placed inside the text`() {
        let reading = Reading(
            """
            !Interpolate |
              first %(prop:a)s
              then %(porp:b)s
            """, as: Renderable<String>.self)
        #expect(reading.places == ["3:10: unknown selector 'porp'; did you mean 'prop'?"])
        let escaped = Reading(#"!Interpolate "\t\u00e9%(porp:b)s""#, as: Renderable<String>.self)
        #expect(escaped.decoder.diagnostics.first?.range?.description == "1:25-1:29")
    }

    @Test func `a missing secret is an error that names it`() throws {
        let value = try #require(
            Reading("!Interpolate '%(secret:token)s'", as: Renderable<String>.self).value)
        let error = #expect(throws: RenderError.self) { try value.render(in: .sample()) }
        #expect(
            error?.message
                == "no provider of secrets has 'token'; check 'secrets' in master.yaml")
        #expect(error?.range?.start.column == 1)
    }

    @Test func `a wrong argument is the only thing that is told`() {
        let reading = Reading(
            "!Interpolate ['%(kw:a)s %(kw:b)s', {a: !Secret [x], b: 1}]",
            as: Renderable<String>.self)
        #expect(
            reading.messages == ["!Secret needs the name of a secret, as in !Secret token"])
        let positional = Reading(
            "!Interpolate ['%s %s', !Secret [x], 1]", as: Renderable<String>.self)
        #expect(positional.messages.count == 1)
    }

    @Test func `a keyword that nothing gives is an error unless a modifier says what to do`() {
        let reading = Reading(
            "!Interpolate ['%(kw:b:-%(kw:c)s)s %(kw:d)s', {aaa: 1}]", as: Renderable<String>.self)
        #expect(
            reading.messages == [
                "!Interpolate has no argument named 'c'; there is only 'aaa'",
                "!Interpolate has no argument named 'd'; there is only 'aaa'",
            ])
    }

    @Test func `an argument twice is an error`() {
        let reading = Reading(
            "!Interpolate ['%(kw:a)s', {a: 1}, {a: 2}]", as: Renderable<String>.self)
        #expect(reading.messages == ["!Interpolate has the argument 'a' twice; keep one"])
    }
}
