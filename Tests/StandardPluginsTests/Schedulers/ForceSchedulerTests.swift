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

    /// The properties that become of the values of a form, and what is wrong with them.
    private func values(
        _ yaml: String, _ given: JSONObject
    ) throws -> (properties: JSONObject, faults: JSONObject) {
        let scheduler = try ForceScheduler.configured(yaml: "properties:\n\(yaml)")
        var values = ForceValues(given)
        let properties = values.properties(of: scheduler.parameters)
        return (properties, values.faults)
    }

    @Test func `a boolean is the text true or false on the command line, and no other`() throws {
        let yaml = "- util.BooleanParameter: {name: clean}"
        for text in ["true", "false"] {
            let found = try values(yaml, ["clean": .string(text)])
            #expect(found.properties == ["clean": .bool(text == "true")])
        }
        for text in ["TRUE", "True", "yes", "1"] {
            let found = try values(yaml, ["clean": .string(text)])
            #expect(found.faults == ["clean": "must be true or false"])
        }
        #expect(try values(yaml, ["clean": ""]).properties == [:])
    }

    @Test func `all types have values of their own kind`() throws {
        let yaml = """
            - util.StringParameter: {name: version, regex: '[0-9]+$', maxsize: 4, default: '1'}
            - util.TextParameter: {name: notes, cols: 40, rows: 3}
            - util.ChoiceStringParameter: {name: parts, choices: [a, b], multiple: true}
            - util.ChoiceStringParameter: {name: host, choices: [x], strict: false, default: y}
            - util.UserNameParameter: {name: approver, required: true}
            - util.FileParameter: {name: patch, maxsize: 5}
            - util.NestedParameter:
                name: deploy
                columns: 2
                fields:
                  - util.IntParameter: {name: count, default: 1}
                  - util.NestedParameter:
                      name: ''
                      fields: [util.FixedParameter: {name: kind, default: full}]
                  - util.NestedParameter:
                      {name: to, fields: [util.StringParameter: {name: zone}]}
            """
        let good = try values(
            yaml,
            [
                "version": "20", "notes": "one\ntwo", "parts": ["b", "a"], "host": "z",
                "approver": "Ann <ann@example.org>", "patch": "+new", "deploy_count": "3",
                "deploy_kind": "none", "deploy_to_zone": "eu", "other": 1,
            ])
        #expect(good.faults == [:])
        #expect(
            good.properties == [
                "version": "20", "notes": "one\ntwo", "parts": ["b", "a"], "host": "z",
                "approver": "Ann <ann@example.org>", "patch": "+new",
                "deploy": ["count": 3, "kind": "full", "to": ["zone": "eu"]],
            ])
        let wrong = try values(
            yaml,
            [
                "version": "x1", "notes": 5, "parts": ["a", "c"], "approver": "Ann",
                "patch": "123456", "deploy_count": "many", "deploy_to_zone": ["eu"],
            ])
        #expect(
            wrong.faults == [
                "version": "does not match '[0-9]+$'", "notes": "must be a text",
                "parts": "must be of a, b",
                "approver": "must have a mail address, such as Ann <ann@example.org>",
                "patch": "has more than 5 bytes", "deploy_count": "must be a whole number",
                "deploy_to_zone": "must be a text",
            ])
        let long = try values(yaml, ["version": "12345", "approver": "a@b"])
        #expect(long.faults == ["version": "has more than 4 bytes"])
        let few = try values(yaml, ["version": "", "parts": "a", "approver": ""])
        #expect(few.faults == ["approver": "needs a value"])
        #expect(
            few.properties == [
                "version": "", "parts": ["a"], "host": "y",
                "deploy": ["count": 1, "kind": "full", "to": [:]],
            ])
    }

    @Test func `its common fields and codebases can be declared`() throws {
        let scheduler = try ForceScheduler.configured(
            yaml: """
                reason:
                  util.ChoiceStringParameter: {choices: [bug, release], label: Why}
                username:
                  util.UserNameParameter: {required: true}
                reasonString: '%(reason)s of %(owner)s'
                codebases:
                  - app
                  - util.CodebaseParameter:
                      codebase: lib
                      repository: https://git.example/lib.git
                      branch:
                        util.ChoiceStringParameter: {choices: [main, next], default: main}
                """)
        #expect(scheduler.reasonField.name == "reason")
        #expect(scheduler.reasonField.choices == ["bug", "release"])
        #expect(scheduler.userField.isRequired)
        #expect(scheduler.codebases.map(\.name) == ["app", "lib"])
        #expect(try ForceScheduler.configured(yaml: "{}").codebases.map(\.name) == [""])
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
            "[util.NestedParameter: {name: a, fields: [util.IntParameter: {name: b}]}, "
                + "util.IntParameter: {name: a_b}]",
            "two parameters are named 'a_b'; rename one"
        ),
        ("[util.NestedParameter: {name: a}]", "the parameter 'a' needs 'fields'"),
        ("[util.NestedParameter: {}]", "the nested parameter needs 'fields'"),
        ("[util.IntParameter: {name: owner}]", "a parameter can't be named 'owner'"),
        (
            "[util.NestedParameter: {fields: [util.IntParameter: {name: owner}]}]",
            "a parameter can't be named 'owner'"
        ),
        (
            "[util.NestedParameter: {name: reason, fields: [util.IntParameter: {name: a}]}]",
            "a nested parameter can't be named 'reason', as a field of every form is; rename it"
        ),
        (
            "[util.NestedParameter: {name: a, fields: [util.IntParameter: {name: b}]}, "
                + "util.IntParameter: {name: a}]",
            "two parameters are named 'a'; rename one"
        ),
        (
            "[util.StringParameter: {name: a, regex: 'b', default: c}]",
            "the default of the parameter 'a' does not match 'b'"
        ),
        (
            "[util.WorkerChoiceParameter: {name: a}]",
            "the property is always 'workername'; remove it"
        ),
        (
            "[util.NestedParameter: {name: a, fields: [util.WorkerChoiceParameter: {}]}]",
            "a worker can't be chosen within the parameter 'a'"
        ),
        (
            "[util.WorkerChoiceParameter: {}, util.StringParameter: {name: workername}]",
            "two parameters are named 'workername'; rename one"
        ),
        ("[util.IntParameter: {name: a, choices: [b]}]", "'choices'"),
    ])
    func `a parameter that makes no sense is an error`(_ list: String, _ expected: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ForceScheduler.configured(yaml: "{properties: \(list)}")
        }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test func `wrong codebases and fields are errors`() {
        for (yaml, expected) in [
            ("{codebases: [a, a]}", "two codebases are named 'a'; rename one"),
            ("{codebases: []}", "codebases"),
            ("{codebases: [util.IntParameter: {name: a}]}", "util.IntParameter"),
            (
                "{reason: {util.StringParameter: {name: a}}}",
                "it has the name of the setting that it is in; remove it"
            ),
            ("{username: {util.NestedParameter: {fields: []}}}", "needs 'fields'"),
            (
                "{username: {util.NestedParameter: {fields: [util.IntParameter: {name: a}]}}}",
                "'username' of schedulers.ForceScheduler must be a text, or a parameter"
            ),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try ForceScheduler.configured(yaml: yaml)
            }
            #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
        }
    }
}
