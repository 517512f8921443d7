import MasterKit
import Testing

struct StepOptionsTests {
    private func declaration(_ entry: String) throws -> StepDeclaration {
        let decoder = SettingDecoder(registry: try .sample())
        let root = try #require(YAMLParser.parse(entry, name: "test").root)
        let declaration = decoder.plugin(.steps, from: root)
        #expect(!decoder.hasErrors)
        return try #require(declaration)
    }

    @Test func `every step has Buildbot's defaults`() throws {
        let options = try declaration("steps.Simple: {count: 1}").options
        #expect(options.name == nil)
        #expect(options.haltOnFailure.constant == false)
        #expect(options.flunkOnFailure.constant == true)
        #expect(options.flunkOnWarnings.constant == false)
        #expect(options.warnOnFailure.constant == false)
        #expect(options.warnOnWarnings.constant == false)
        #expect(options.alwaysRun.constant == false)
        #expect(options.doStepIf.constant == true)
        #expect(options.hideStepIf.constant == false)
        #expect(options.description == nil)
        #expect(options.updateBuildSummaryPolicy == nil)
        #expect(options.logEncoding == .utf8)
        #expect(options.workdir == nil)
        #expect(options.maxTime == nil)
    }

    @Test func `the options of a type stand unless the file says otherwise`() throws {
        let untouched = try declaration("steps.Sample: http://h/").options
        #expect(untouched.haltOnFailure.constant == true)
        #expect(untouched.logEncoding == .latin1)
        let given = try declaration(
            """
            steps.Sample:
              url: http://h/
              name: !Interpolate "%(prop:branch)s"
              haltOnFailure: false
              flunkOnFailure: false
              flunkOnWarnings: true
              warnOnFailure: true
              warnOnWarnings: true
              alwaysRun: true
              doStepIf: !Equal [a, b]
              hideStepIf: true
              description: [making, it]
              descriptionDone: made
              descriptionSuffix: all
              updateBuildSummaryPolicy: [failure]
              logEncoding: ascii
              workdir: sub
              maxTime: 1h
            """
        ).options
        #expect(try given.name?.render(in: .sample()) == "main")
        #expect(given.haltOnFailure.constant == false)
        #expect(given.flunkOnFailure.constant == false)
        #expect(given.flunkOnWarnings.constant == true)
        #expect(given.warnOnFailure.constant == true)
        #expect(given.warnOnWarnings.constant == true)
        #expect(given.alwaysRun.constant == true)
        #expect(try given.doStepIf.render(in: .sample()) == false)
        #expect(given.hideStepIf.constant == true)
        #expect(given.description?.constant?.text == "making it")
        #expect(given.descriptionDone?.constant?.text == "made")
        #expect(given.descriptionSuffix?.constant?.text == "all")
        #expect(given.updateBuildSummaryPolicy?.tells(.failure) == true)
        #expect(given.logEncoding == .ascii)
        #expect(given.workdir?.constant == "sub")
        #expect(given.maxTime?.constant == .seconds(3600))
    }

    @Test(arguments: [
        ("", false, false), (", description: a", true, true),
        (", descriptionDone: a", false, true), (", descriptionSuffix: a", false, false),
        (", name: a", false, false),
    ])
    func `a description of one's own is known`(settings: String, running: Bool, done: Bool) throws {
        let declaration = try declaration("{steps.Simple: {count: 1\(settings)}}")
        #expect(declaration.options.$description.isGiven == running)
        #expect(declaration.options.describesFinishedStep == done)
    }

    @Test func `a name has a limit`() throws {
        let fits = String(repeating: "n", count: StepRecord.maximumNameLength)
        #expect(
            try declaration("{steps.Simple: {count: 1, name: \(fits)}}").options.name?.constant
                == fits)
        let decoder = SettingDecoder(registry: try .sample())
        let text = "{steps.Simple: {count: 1, name: \(fits)x}}"
        let root = try #require(YAMLParser.parse(text, name: "test").root)
        #expect(decoder.plugin(.steps, from: root)?.key == nil)
        #expect(
            decoder.diagnostics.map(\.message)
                == ["the name of a step has at most 50 characters, not 51"])
        #expect(decoder.diagnostics.first?.range?.start.column == 33)
    }

    @Test func `a declaration knows its key and place`() throws {
        let declaration = try self.declaration("\n  steps.Simple: {count: 1}")
        #expect(declaration.key.description == "steps.Simple")
        #expect(declaration.range?.description == "2:3-2:15")
    }
}
