import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct BuildStatusGeneratorTests {
    /// Which results a generator reports, by their names.
    private func reported(_ yaml: String, previous: Results? = nil) async throws -> [String] {
        let generator = try BuildStatusGenerator.configured(yaml: yaml)
        var names: [String] = []
        for results in Results.allCases {
            let build = RecordedBuild(number: 2, results: results, previousResults: previous)
            if try await isReported(build.finished, by: generator, of: build) {
                names.append(results.name)
            }
        }
        return names
    }

    private func isReported(
        _ event: Event, by generator: BuildStatusGenerator, of build: RecordedBuild
    ) async throws -> Bool {
        let reporter = try HttpStatusPush.configured(["serverUrl": "http://h/"])
        let reports = try await ReporterHarness().reports(
            of: reporter, for: event, of: build, generators: [generator])
        return !reports.isEmpty
    }

    @Test(arguments: [
        ("{}", ["success", "warnings", "failure"]),
        ("all", ["success", "warnings", "failure", "exception", "cancelled"]),
        ("warnings", ["warnings", "failure"]),
        ("[warnings]", ["warnings"]),
        ("failing", ["failure"]),
        ("passing", ["success"]),
        ("exception", ["exception"]),
        ("cancelled", ["cancelled"]),
        ("[passing, cancelled]", ["success", "cancelled"]),
        ("change", []),
        ("problem", []),
    ])
    func `mode picks the results`(_ mode: String, _ expected: [String]) async throws {
        #expect(try await reported(mode) == expected)
    }

    @Test(arguments: [
        (
            "change", Results.success,
            ["warnings", "failure", "skipped", "exception", "retry", "cancelled"]
        ),
        (
            "change", .failure,
            ["success", "warnings", "skipped", "exception", "retry", "cancelled"]
        ),
        ("problem", .success, ["failure"]),
        ("problem", .failure, []),
        ("[problem, passing]", .failure, ["success"]),
    ])
    func `change and problem look at the build before`(
        _ mode: String, _ previous: Results, _ expected: [String]
    ) async throws {
        #expect(try await reported(mode, previous: previous) == expected)
    }

    @Test(arguments: [
        ("tags: [a, b]", true), ("tags: [c]", false), ("builders: [linux]", true),
        ("builders: [mac, linux]", true), ("builders: [lin]", false),
    ])
    func `filters pick the builder`(_ filter: String, _ expected: Bool) async throws {
        let generator = try BuildStatusGenerator.configured(yaml: "{\(filter), report_new: true}")
        let build = RecordedBuild(builder: "linux", tags: ["b", "x"])

        #expect(try await isReported(build.finished, by: generator, of: build) == expected)
        #expect(try await isReported(build.started, by: generator, of: build) == expected)
    }

    @Test func `starts are reported only when asked for, whatever the mode`() async throws {
        let build = RecordedBuild()
        let without = try BuildStatusGenerator.configured()
        let with = try BuildStatusGenerator.configured(["report_new": true, "mode": "exception"])

        #expect(without.wantedEvents == [.buildFinished])
        #expect(with.wantedEvents == [.buildNew, .buildFinished])
        #expect(try await isReported(build.started, by: without, of: build) == false)
        #expect(try await isReported(build.started, by: with, of: build) == true)
        #expect(try await isReported(build.finished, by: with, of: build) == false)
    }
}
