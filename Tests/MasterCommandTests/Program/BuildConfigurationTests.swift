import MasterKit
import Testing

/// What settings of builders and steps come to when the built program runs them.
@Suite(.timeLimit(.minutes(2)))
struct BuildConfigurationTests {
    private func run(
        _ file: String, environment: [String: String] = [:], _ arguments: String...
    ) async throws -> Program.Ended {
        try await Program.inFolder(["master.yaml": file]) { program in
            var program = program
            program.environment = environment
            return try await program.run(["run"] + arguments) { _ in }
        }
    }

    // MARK: Conditions

    @Test(arguments: [
        ("!All [!Property publish, !Equal [!Property branch, main]]", "publish=false", "skipped"),
        ("!All [!Property publish, !Equal [!Property branch, main]]", "publish=true", "success"),
        ("!Any [!Property publish]", "publish=false", "skipped"),
        ("!Not [!Property publish]", "publish=false", "success"),
        ("!Property publish", "publish=true", "success"),
        ("!Property publish", "publish=false", "skipped"),
        ("!Property publish", "other=x", "skipped"),
        ("!Property publish", "publish=maybe", "exception"),
    ])
    func `a property given as a text is a condition`(
        condition: String, property: String, result: String
    ) async throws {
        let file = """
            steps:
              - steps.ShellCommand: {name: work, command: "true", doStepIf: \(condition)}
            """
        let ended = try await run(file, "-p", property, "--branch", "main")
        #expect(ended.output.contains("1 work  \(result)"), "\(ended.output)")
        if result == "exception" {
            #expect(ended.output.contains("pass -p publish:=true, compare a text with !Equal"))
        }
    }

    @Test func `a text as a condition is a mistake of the file`() async throws {
        for expression in ["!Interpolate '%(prop:publish)s'", "!Template '{{ buildername }}'"] {
            let step = "steps.ShellCommand: {command: a, doStepIf: \(expression)}"
            let ended = try await Program.inFolder(["master.yaml": "steps: [\(step)]"]) {
                try await $0.run("check")
            }
            #expect(ended.status == 2)
            #expect(ended.output.contains("!Equal [!Property NAME, text]"))
            #expect(ended.output.contains("with !Property NAME"))
        }
    }
}
