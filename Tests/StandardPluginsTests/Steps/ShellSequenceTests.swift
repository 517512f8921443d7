import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct ShellSequenceTests {
    @Test func `commands run one after the other, each into its log`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                ShellSequence.self,
                """
                commands:
                  - echo one
                  - [echo, two]
                  - {command: echo three, logname: third}
                """)
            #expect(results == .success)
            #expect(harness.logs.map(\.name) == ["stdio", "third"])
            let lines = try #require(harness.log("stdio")).lines
            #expect(lines.filter { $0.hasPrefix("o") } == ["oone", "otwo"])
            #expect(harness.log("third")?.lines.contains("othree") == true)
            #expect(harness.summary == "'echo three'")
        }
    }

    @Test(arguments: [
        ("exit 2", Results.failure, "'exit 2': exit 2", true),
        ("{command: exit 2, haltOnFailure: true}", .failure, "'exit 2': exit 2", false),
        ("{command: exit 2, flunkOnFailure: false}", .success, "'touch reached'", true),
        (
            "{command: exit 2, flunkOnFailure: false, warnOnFailure: true}", .warnings,
            "'exit 2': exit 2", true
        ),
        ("{command: exit 3, warnOnWarnings: true}", .warnings, "'exit 3': exit 3", true),
        ("{command: exit 3, flunkOnWarnings: true}", .failure, "'exit 3': exit 3", true),
        ("exit 3", .success, "'touch reached'", true),
    ])
    func `each command says what its result makes of the step`(
        _ command: String, _ expected: Results, _ text: String, _ goesOn: Bool
    ) async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                ShellSequence.self,
                "{commands: [\(command), touch reached], decodeRC: {0: success, 3: warnings}}")
            #expect(results == expected)
            #expect(harness.summary == text)
            #expect(folder.has("work/build/reached") == goesOn)
        }
    }
}
