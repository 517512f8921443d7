import Foundation
import MasterKit
import MasterRuntimeTesting
import StandardPlugins
import Testing

@testable import CustomMaster

/// Whether a path exists.
enum TemporaryFolderProbe {
    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
}

/// A whole master in a test.
@Suite(.timeLimit(.minutes(2)))
struct MasterHarnessTests {
    private static let plugins = [
        standardPlugins, PluginBundle(ChatRoom.self, CountLines.self, Chain.self),
    ]

    @Test func `a file goes in, builds and reports come out`() async throws {
        let yaml = """
            secrets: [secrets.Environment]
            services: [reporters.RecordingReporter]
            steps:
              - steps.CountLines: words.txt
              - steps.ShellCommand:
                  command: [echo, !Interpolate "%(prop:lines)s %(secret:token)s %(prop:who)s"]
            """
        let master = MasterHarness(
            yaml, files: ["words.txt": "one\ntwo\n"], plugins: Self.plugins,
            secrets: ["token": "s3cr3t-value"])
        let run = try await master.run(properties: ["who": "Ann"])
        let build = try #require(run.builds.first)
        #expect(run.builds.map(\.results) == [.success])
        #expect(build.properties["lines"] == 2)
        #expect(build.step("CountLines")?.stateString == "2 lines")
        #expect(build.steps[1].logs["stdio"]?.contains("o2 <token> Ann\n") == true)
        #expect(run.recording.reports.map(\.results) == [nil, .success])
        #expect(run.deliveries.map(\.state) == ["delivered", "delivered"])
    }

    @Test func `builds of services are waited for, and found by their builders`() async throws {
        let run = try await MasterHarness(
            """
            services: [services.Chain: {after: a, builderNames: [b]}]
            builders:
              - {name: a, steps: [steps.SetProperty: {property: x, value: 1}]}
              - {name: b, triggeredOnly: true, steps: [steps.MakeDirectory: /dev/null/x]}
            """, plugins: Self.plugins
        ).run()
        #expect(run.builds.map(\.builder) == ["a", "b"])
        #expect(run.build("b")?.results == .failure)
    }

    @Test func `reports that are rejected or retried are told`() async throws {
        let run = try await MasterHarness(
            """
            services:
              - reporters.RecordingReporter: {answers: [reject, retry], retry: {backoff: 1ms}}
            steps: [steps.SetProperty: {property: x, value: 1}]
            """, plugins: Self.plugins
        ).run()
        #expect(Set(run.deliveries.map(\.state)) == ["delivered", "dead"])
        #expect(run.recording.attempts.map(\.answer) == [.reject, .retry, .ok])
    }

    @Test func `many masters run at once`() async throws {
        let numbers = try await withThrowingTaskGroup(of: JSONValue?.self) { group in
            for number in 1...5 {
                group.addTask {
                    let run = try await MasterHarness(
                        """
                        services: [reporters.RecordingReporter]
                        steps: [steps.SetProperty: {property: number, value: \(number)}]
                        """, plugins: Self.plugins
                    ).run()
                    #expect(run.recording.reports.count == 2)
                    return run.builds.first?.properties["number"]
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(numbers.map { $0?.intValue }) == [1, 2, 3, 4, 5])
    }

    @Test func `a wrong file and a missing secret are errors`() async throws {
        let wrong = MasterHarness("steps: [steps.CountLins: a]", plugins: Self.plugins)
        let error = await #expect(throws: (any Error).self) { try await wrong.run() }
        let words = error.map { "\($0)" } ?? ""
        #expect(words.contains("1:9: error: there is no plugin 'steps.CountLins'"), "\(words)")
        let secretive = MasterHarness(
            """
            secrets: [secrets.Environment]
            steps: [steps.ShellCommand: {command: [echo, !Secret token]}]
            """, plugins: Self.plugins, secrets: [:])
        let missing = await #expect(throws: (any Error).self) { try await secretive.run() }
        #expect(
            missing.map { "\($0)" } == "the test gives no value for the secret 'token'")
    }

    @Test func `a file is checked with the plugins of a test`() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Examples/CustomMaster/master.yaml").path
        let own = PluginBundle(
            Chain.self, ChatRoom.self, CountLines.self, PropertyGenerator.self, StepTimes.self)
        #expect(try check(file: file, plugins: [standardPlugins, own]) == [])
        #expect(
            try await check("steps: [steps.CountLines: {pth: a}]", plugins: Self.plugins) == [
                "1:28: error: steps.CountLines has no setting 'pth'; did you mean 'path'?"
            ])
    }
}
