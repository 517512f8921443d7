import MasterKit
import Testing

struct SettingsFillingTests {
    @Test func `settings get their values, others keep their defaults`() {
        let filling = Filling<Sample>(
            "{url: http://h/, mode: thorough, tries: 5, retry: {attempts: 2}}")
        #expect(filling.isValid)
        #expect(filling.settings.url.constant?.text == "http://h/")
        #expect(filling.settings.mode == .thorough)
        #expect(filling.settings.limits.maxTries == 5)
        #expect(filling.settings.limits.timeout == nil)
        #expect(filling.settings.retry?.attempts == 2)
        #expect(filling.settings.retry?.backoff == .seconds(1))
        #expect(filling.settings.verify)
        #expect(filling.settings.labels == nil)
    }

    @Test func `a lone value fills the primary setting`() {
        #expect(Filling<Sample>("http://h/").settings.url.constant?.text == "http://h/")
        #expect(Filling<Sample>("!Property url").isValid)
        let wrong = Filling<Sample>("[a]")
        #expect(
            wrong.messages == [
                "'url' of it takes one address, not a list; write one entry for each address"
            ])
    }

    @Test func `nothing else may stand for a mapping, and then nothing is missing, too`() {
        #expect(
            Filling<Plain>("5").messages == ["it takes a mapping of settings, not the number 5"])
        #expect(
            Filling<Plain>("!Property a").messages
                == ["it takes a mapping of settings, not !Property"])
    }

    @Test func `an empty mapping, null and nothing are the same`() {
        for text in ["{}", "null", "~"] {
            #expect(Filling<Plain>(text).messages == ["it needs 'count', a whole number"])
            #expect(Filling<SampleLimits>(text).isValid)
        }
        let decoder = SettingDecoder()
        #expect(decoder.read(SampleLimits.self, from: nil, owner: "it", at: nil) != nil)
    }

    @Test func `a misspelt name is not missing, too`() {
        #expect(
            Filling<Plain>("{cuont: 5}").messages
                == ["it has no setting 'cuont'; did you mean 'count'?"])
        #expect(
            Filling<Plain>("{cuont: 5, count: 6}").messages
                == ["it has no setting 'cuont'; did you mean 'count'?"])
        #expect(
            Filling<Plain>("{colour: 5}").messages == [
                "it has no setting 'colour'; there are count, size",
                "it needs 'count', a whole number",
            ])
    }

    @Test func `a hint comes before a suggestion`() {
        #expect(
            Filling<Sample>("{url: http://h/, hooks: x}").messages
                == ["it has no setting 'hooks'; hooks take code"])
    }

    @Test func `two spellings of one setting are an error at the second`() {
        let filling = Filling<Sample>("{url: http://h/, body: 1,\n data: 2}")
        #expect(filling.messages == ["it has both 'body' and 'data'; keep one"])
        #expect(filling.decoder.diagnostics.first?.range?.start.description == "2:2")
        #expect(!filling.isValid)
    }

    @Test func `a wrong value leaves the default and the rest`() {
        let filling = Filling<Sample>("{url: http://h/, verify: no, mode: thorough, tries: x}")
        #expect(filling.messages.count == 2)
        #expect(filling.settings.verify)
        #expect(filling.settings.mode == .thorough)
        #expect(filling.settings.limits.maxTries == 3)
    }

    @Test(arguments: [
        ("{url: *gone}", "a required one"), ("{url: http://h/, verify: *gone}", "another"),
        ("{*gone : 1}", "a name"), ("*gone", "all of them"),
        ("{url: http://h/, counts: [*gone]}", "a part"),
        ("{url: http://h/, retry: {attempts: *gone}}", "a nested one"),
    ])
    func `what the parser has reported makes no second error, nor a plugin`(
        yaml: String, part: String
    ) throws {
        let entry = BrokenEntry(entry: "{steps.Sample: \(yaml)}")
        #expect(entry.parserErrors == 1)
        #expect(try entry.declaration() == nil)
        #expect(try entry.messages().isEmpty)
    }

    @Test func `a value that is refused without a reason is an error all the same`() {
        let filling = Filling<Sample>("{url: http://h/, retry: {attempts: 0}}")
        #expect(
            filling.messages == ["'retry' of it must be a mapping such as {attempts: 3}"])
        #expect(!filling.isValid)
    }

    @Test func `an expression in nested settings is refused, not read as unset`() {
        let renderable = Reading(
            "{attempts: !Property n}", as: Renderable<SampleRetry>.self)
        #expect(renderable.messages.isEmpty)
        #expect(renderable.value != nil)
        let plain = Reading("{attempts: !Property n}", as: SampleRetry.self)
        #expect(plain.value == nil)
        #expect(plain.messages.count == 1)
    }

    @Test func `to read a required setting before it is filled is a mistake that ends the program`()
        async
    {
        await #expect(processExitsWith: .failure) { _ = Plain().count }
    }

    @Test func `values are separate, however often a type is made`() throws {
        let registry = try Registry.sample()
        let output = YAMLParser.parse(
            "[{steps.Simple: {count: 1, size: 2}}, {steps.Simple: {count: 3}}]", name: "test")
        let decoder = SettingDecoder(registry: registry)
        let node = try #require(output.root)
        let steps = try #require(decoder.plugins(.steps, from: node))
        let plain = try steps.map { try #require($0.plugin as? Plain) }
        #expect(plain.map(\.count) == [1, 3])
        #expect(plain.map(\.size) == [2, 1])
    }
}

/// A plugin entry with a syntax error.
private struct BrokenEntry {
    private let output: YAMLParser.Output

    init(entry: String) {
        output = YAMLParser.parse(entry, name: "test")
    }

    var parserErrors: Int { output.diagnostics.count }

    func declaration() throws -> StepDeclaration? {
        try decoded().0
    }

    func messages() throws -> [String] {
        try decoded().1.diagnostics.map(\.message)
    }

    private func decoded() throws -> (StepDeclaration?, SettingDecoder) {
        let decoder = SettingDecoder(registry: try .sample())
        return (decoder.plugin(.steps, from: try #require(output.root)), decoder)
    }
}
