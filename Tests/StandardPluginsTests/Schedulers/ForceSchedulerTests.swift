import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct ForceSchedulerTests {
    @Test func `its parameters have the types and names of Buildbot`() throws {
        let scheduler = try ForceScheduler.configured(
            yaml: """
                properties:
                  - util.StringParameter: {name: version, default: '1', label: The version}
                  - util.IntParameter: {name: jobs, default: 2}
                  - util.BooleanParameter: {name: clean, default: true}
                  - util.FixedParameter: {name: origin, default: force}
                  - util.ChoiceStringParameter:
                      {name: config, choices: [debug, release], required: true}
                  - util.TextParameter: {name: notes, default: one}
                """)
        #expect(
            scheduler.parameters.map(\.name)
                == ["version", "jobs", "clean", "origin", "config", "notes"])
        #expect(
            scheduler.parameters.map(\.kind) == [.string, .int, .bool, .fixed, .choice, .text])
        #expect(scheduler.parameters.map(\.fallback) == ["1", 2, true, "force", nil, "one"])
        #expect(
            scheduler.parameters.map(\.isRequired) == [false, false, false, false, true, false])
    }

    @Test func `a boolean is the text true or false on the command line, and no other`() throws {
        let scheduler = try ForceScheduler.configured(
            yaml: "properties: [util.BooleanParameter: {name: clean}]")
        let parameter = try #require(scheduler.parameters.first)
        #expect(parameter.value(of: "true") == true)
        #expect(parameter.value(of: "false") == false)
        for text in ["TRUE", "True", "yes", "1", ""] {
            let value = parameter.value(of: .string(text))
            #expect(parameter.fault(of: value) == "must be true or false")
        }
    }

    @Test(arguments: [
        ("[StringParameter: {name: a}]", "there is no parameter type 'StringParameter'; "),
        ("[util.StringParameter: {}]", "util.StringParameter needs 'name'"),
        ("[util.IntParameter: {name: a, default: x}]", "the default of the parameter 'a' must be"),
        ("[util.ChoiceStringParameter: {name: a}]", "the parameter 'a' needs 'choices'"),
        (
            "[util.ChoiceStringParameter: {name: a, choices: [b], default: c}]",
            "the default of the parameter 'a' must be one of b"
        ),
        ("[util.FixedParameter: {name: a}]", "the parameter 'a' needs a 'default'"),
        (
            "[util.IntParameter: {name: a}, util.IntParameter: {name: a}]",
            "two parameters are named 'a'; rename one"
        ),
        (
            "[util.StringParameter: {name: owner}]",
            "a parameter can't be named 'owner', which every forced build has; rename it"
        ),
        ("[util.TextParameter: {name: a, default: 1}]", "the parameter 'a' must be a text"),
        (
            "[util.NestedParameter: {name: a}]",
            "there is no parameter type 'util.NestedParameter'; list its fields without it"
        ),
    ])
    func `a parameter that makes no sense is an error`(_ list: String, _ expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ForceScheduler.configured(yaml: "{properties: \(list)}")
        }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }
}
