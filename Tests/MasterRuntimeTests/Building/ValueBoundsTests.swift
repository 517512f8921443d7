import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// Values that steps make grow up to a limit, after which the step fails with a message.
struct ValueBoundsTests {
    @Test(arguments: [
        ("[!Property s]", 110, "nests deeper than 100 levels"),
        ("[!Property s, !Property s]", 40, "has more than 250000 values"),
        (#"!Interpolate "%(prop:s)s%(prop:s)s""#, 40, "1 MiB"),
    ])
    func `a property that grows step by step ends in a sentence`(
        _ value: String, _ count: Int, _ words: String
    ) async throws {
        let step = "  - steps.SetProperty: {property: s, value: \(value)}\n"
        let yaml =
            "steps:\n  - steps.SetProperty: {property: s, value: start}\n"
            + String(repeating: step, count: count)
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .exception)
            let last = try #require(build.logs.keys.max())
            let log = try bench.log("err_text", of: build, step: last)
            #expect(log.contains(words), "\(log)")
        }
    }

    @Test func `all properties of a build are bounded`() async throws {
        let steps = (0..<6).map {
            "  - steps.SetPropertyFromCommand: "
                + "{property: p\($0), command: \"head -c 1000000 /dev/zero | tr '\\\\0' x\"}\n"
        }
        try await MasterBench.with("steps:\n" + steps.joined()) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.results).suffix(2) == [.success, .exception])
            #expect(build.steps.count == 5)
        }
    }

    @Test func `properties that are too large from the beginning are refused`() async throws {
        try await MasterBench.with("steps: [steps.ShellCommand: 'true']") { bench in
            let text = JSONValue.string(String(repeating: "x", count: 1_000_000))
            let error = await #expect(throws: MasterError.self) {
                try await bench.build(
                    properties: ["a": text, "b": text, "c": text, "d": text, "e": text])
            }
            #expect(
                error?.message
                    == "the properties of a build have at most 4 MiB together; keep large data in a "
                    + "file")
        }
    }

    @Test func `a part of an answer that is too large for a property fails the step`() async throws
    {
        let body = #"{"a": ""# + String(repeating: "x", count: 2 << 20) + #""}"#
        try await withLoopbackServer(handler: { _ in .text(body) }) { server in
            let yaml = "steps: [steps.GET: {url: '\(server.url)', extract: {a: {json: /a}}}]"
            try await MasterBench.with(yaml) { bench in
                let build = try await bench.buildOne()
                #expect(build.steps.map(\.results) == [.failure])
                let log = try bench.log("log", of: build)
                #expect(
                    log.contains(
                        "The property 'a' is missing: the value of the property 'a' is larger than "
                            + "1 MiB; keep large data in a file"))
            }
        }
    }
}
