import FoundationEssentials
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

struct ShellCommandTests {
    private func run(
        _ yaml: String, properties: JSONObject = [:], environment: [String: String?] = [:]
    ) async throws -> (results: Results, harness: StepHarness) {
        let harness = try StepHarness(
            properties: properties, worker: LocalWorker(root: "/"), workdir: "/tmp",
            environment: environment)
        let step = try ShellCommand.configured(yaml: yaml)
        return (try await harness.run(step), harness)
    }

    @Test func `output goes into the log with what is said about the command`() async throws {
        let (results, harness) = try await run("[sh, -c, 'echo one; echo two >&2']")

        #expect(results == .success)
        let log = try #require(harness.log("stdio"))
        #expect(log.lines.first == "hsh -c 'echo one; echo two >&2'")
        #expect(log.lines.dropFirst().first == "h in dir /tmp (timeout 1200 secs)")
        #expect(log.lines.contains("oone"))
        #expect(log.lines.contains("etwo"))
        #expect(log.lines.contains("hprogram finished with exit code 0"))
        #expect(log.lines.last?.hasPrefix("helapsedTime=") == true)
        #expect(harness.logs.count == 1)
    }

    @Test(arguments: [
        ("'true'", "'true'"),
        ("[ls, /]", "'ls /'"),
        ("[sh, -c, 'true']", "'sh -c ...'"),
        ("echo  a   b", "'echo a ...'"),
        ("[[sh, [-c]], 'true']", "'sh -c ...'"),
    ])
    func `the state is the first two words of the command`(
        _ command: String, _ state: String
    ) async throws {
        let (results, harness) = try await run("command: \(command)")
        #expect(results == .success)
        #expect(harness.summaries == [state])
    }

    @Test(arguments: [
        ("exit 0", "{}", Results.success),
        ("exit 1", "{}", .failure),
        ("exit 3", "{decodeRC: {0: success, 3: warnings}}", .warnings),
        ("exit 4", "{decodeRC: {0: success, 3: warnings}}", .failure),
        ("exit 0", "{decodeRC: {0: 2, 1: 0}}", .failure),
        ("exit 1", "{decodeRC: {0: 2, 1: 0}}", .success),
        ("exit 5", "{decodeRC: {0: success, 5: skipped}}", .skipped),
        ("kill -9 $$", "{decodeRC: {0: success, 137: success}}", .failure),
    ])
    func `exit codes stand for results`(
        _ command: String, _ settings: String, _ expected: Results
    ) async throws {
        let more = settings.dropFirst().dropLast()
        let (results, harness) = try await run("{command: \(command), \(more)}")
        #expect(results == expected)
        #expect(!harness.hasTimedOut)
    }

    @Test func `a command that says nothing for too long is ended`() async throws {
        let (results, harness) = try await run("{command: 'sleep 60 & sleep 60', timeout: 0.2}")

        #expect(results == .failure)
        #expect(harness.hasTimedOut)
        #expect(harness.summary == "'sleep 60 ...'")
    }

    @Test func `the environment is that of the builder with the step's own over it`() async throws {
        let (_, harness) = try await run(
            """
            command: 'echo "$A-$B-${C-unset}-$D"'
            env: {B: step, C: null, D: [x, !Property p]}
            """, properties: ["p": "y"],
            environment: ["A": "builder", "B": "builder", "C": "builder"])

        #expect(harness.log("stdio")?.lines.contains("obuilder-step-unset-x:y") == true)
    }

    @Test(arguments: ["[no-such-program-here]", "{command: [/etc/passwd]}"])
    func `a program that can't be run is a failure with its reason`(_ yaml: String) async throws {
        let (results, harness) = try await run(yaml)

        #expect(results == .failure)
        #expect(harness.log("stdio")?.lines.last?.hasPrefix("e") == true)
    }

    @Test func `arguments are rendered`() async throws {
        let (results, harness) = try await run(
            "[echo, !Property a, !Interpolate 'b=%(prop:b)s', [!Property c]]",
            properties: ["a": 1.5, "b": "x y", "c": ["d", "e"]])

        #expect(results == .success)
        #expect(harness.log("stdio")?.lines.contains("o1.5 b=x y d e") == true)
    }

    @Test func `a missing property is no argument`() async throws {
        let error = await #expect(throws: RenderError.self) {
            try await run("[echo, !Property missing]")
        }
        #expect(
            error?.message == "'command' of steps.ShellCommand must be a text, not null")
    }

    @Test func `stopping the build ends the command`() async throws {
        let harness = try StepHarness(worker: LocalWorker(root: "/"))
        let step = try ShellCommand.configured(yaml: "echo begun; sleep 60")
        let run = Task { try await harness.run(step) }
        await harness.waitForLine("obegun", in: "stdio")
        run.cancel()

        let outcome = await run.result
        #expect(throws: CancellationError.self) { try outcome.get() }
    }

    @Test func `much output is neither lost nor torn`() async throws {
        let (_, harness) = try await run("seq 1 200000")
        let lines = try #require(harness.log("stdio")).lines.filter { $0.hasPrefix("o") }
        #expect(lines.count == 200_000)
        #expect(lines.last == "o200000")
    }
}
