import FoundationEssentials
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// Requests captured from Buildbot's HTTP steps.
@Suite(.timeLimit(.minutes(1)))
struct CaptureTests {
    @Test(arguments: try Capture.all())
    func `a step sends what Buildbot's sends`(_ capture: Capture) async throws {
        let request = try await withLoopbackServer { server in
            let harness = try StepHarness(properties: ["buildername": "http", "buildnumber": 1])
            let results = try await harness.run(
                capture.step, yaml: capture.yaml(server: server.url))
            #expect(results == .success)
            let sent = try #require(server.requests.first.map { WireRequest($0) })
            return sent.replacing(server.url.dropFirst("http://".count), with: "TARGET")
        }

        #expect(request.levelled(Difference.everywhere) == capture.request)
    }
}

/// The settings of a step and what Buildbot sent with them.
struct Capture: Sendable, CustomTestStringConvertible {
    let step: any Step.Type
    let path: String
    let settings: String
    let request: WireRequest

    var testDescription: String { "\(step.pluginName) \(path)" }

    /// All captures in the file.
    static func all() throws -> [Capture] {
        let file = URL(filePath: "\(PythonEnvironment.fixtures)/captures.json")
        let root = try JSONValue(parsing: Array(Data(contentsOf: file)))
        return try #require(root["captures"]?.arrayValue).map { entry in
            Capture(
                step: try #require(steps.first { $0.pluginName == entry["step"]?.stringValue }),
                path: try #require(entry["path"]?.stringValue),
                settings: try #require(entry["settings"]?.stringValue),
                request: try #require(entry["request"].flatMap { WireRequest($0) })
                    .levelled(Difference.everywhere))
        }
    }

    private static let steps: [any Step.Type] = [GET.self, HEAD.self, POST.self]

    /// The settings with a URL.
    func yaml(server: String) -> String {
        StepHarness.settings("\(server)\(path)", settings)
    }
}
