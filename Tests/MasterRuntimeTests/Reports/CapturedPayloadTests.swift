import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Status pushes compared with those captured from Buildbot: the same keys in the same order, with
/// values of the same types.
@Suite(.timeLimit(.minutes(1)))
struct CapturedPayloadTests {
    @Test(arguments: [
        ("success-default", "success"), ("failure-default", "failure"),
        ("warnings-default", "{result: warnings, warnOnWarnings: true}"),
    ])
    func `start and end have the captured form`(_ name: String, _ result: String) async throws {
        let captured = try Self.captured(name)
        let run = try await ReportBench.run(
            """
            services: [reporters.HttpStatusPush: SERVER/push]
            builders:
              - {name: b, description: d, tags: [t], steps: [steps.Give: \(result)]}
            """)
        try compare(run.bodies["push"] ?? [], with: captured)
    }

    @Test func `the end of a cancelled build has the captured form`() async throws {
        let run = try await ReportBench.run(
            """
            services: [reporters.HttpStatusPush: SERVER/push]
            builders:
              - {name: b, steps: [steps.Play: $wait]}
            """,
            scripts: [
                "wait": { _ in
                    try await neverEnd()
                    return .success
                }
            ], stoppingWhen: { $0.kind == .stepStarted })
        let pushed = run.bodies["push"] ?? []
        #expect(pushed.map { $0["results"] } == [.null, 6])
        try compare(pushed, with: Self.captured("cancelled-start-end"))
    }

    @Test func `steps, logs and their content have the captured form`() async throws {
        let run = try await ReportBench.run(
            """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: SERVER/push
                  want_steps: true
                  want_logs: true
                  want_logs_content: true
            builders:
              - name: b
                description: d
                tags: [t]
                steps:
                  - steps.ShellCommand: {command: echo one, name: first}
                  - steps.ShellCommand: {command: echo two, name: second}
            """)
        let pushed = run.bodies["push"] ?? []
        let captured = try Self.captured("success-with-properties-steps-logs")
        try compare(pushed, with: captured)
        // Buildbot has an additional step before ours.
        let theirs = captured.last?["steps"]?.arrayValue?.dropFirst().map(Self.form) ?? []
        let ours = pushed.last?["steps"]?.arrayValue?.map(Self.form) ?? []
        #expect(ours == theirs)
        let content = pushed.last?["steps"]?[1]?["logs"]?[0]?["content"]?["content"]?.stringValue
        #expect(content?.split(separator: "\n").contains("otwo") == true)
    }

    private func compare(_ pushed: [JSONValue], with captured: [JSONValue]) throws {
        #expect(pushed.count == captured.count)
        for (ours, theirs) in zip(pushed, captured) {
            #expect(ours.objectValue?.keys == theirs.objectValue?.keys)
            #expect(ours["results"] == theirs["results"])
            #expect(Self.form(ours, ofBuild: true) == Self.form(theirs, ofBuild: true))
        }
    }

    /// The request bodies in a file of captures.
    private static func captured(_ name: String) throws -> [JSONValue] {
        let folder = #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
        let path = "\(folder)/Fixtures/Payloads/\(name).json"
        let file = try JSONValue(parsing: String(contentsOf: URL(filePath: path), encoding: .utf8))
        return try #require(file["requests"]?.arrayValue).map { try #require($0["body"]) }
    }

    /// The record of a build without intentional differences: the set of properties, the steps, and
    /// whether request and buildset are complete, which Buildbot reports too late.
    private static func form(_ value: JSONValue, ofBuild: Bool) -> String {
        var build = value
        build["properties"] = build["properties"]?.objectValue?.first.map { .array([$0.value]) }
        build["steps"] = nil
        for part in ["buildrequest", "buildset"] { build[part]?["complete_at"] = nil }
        for (part, key) in [("builder", "description"), ("builder", "tags")] {
            build[part]?[key] = nil
        }
        return form(build)
    }

    /// Replaces values by their types, in order.
    private static func form(_ value: JSONValue) -> String {
        switch value {
        case .object(let object):
            "{" + object.map { "\($0.key): \(form($0.value))" }.joined(separator: ", ") + "}"
        case .array(let array): "[" + array.map(form).joined(separator: ", ") + "]"
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "text"
        }
    }
}
