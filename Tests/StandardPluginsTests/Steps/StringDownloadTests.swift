import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct StringDownloadTests {
    @Test func `a text is written as it is`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                StringDownload.self,
                "{s: !Interpolate 'v=%(prop:v)s', workerdest: in/a, mode: 0640}",
                properties: ["v": "1.10"])
            #expect(results == .success)
            #expect(harness.summary == "wrote in/a")
            #expect(try folder.read("work/build/in/a") == "v=1.10")
            #expect(try folder.permissions(of: "work/build/in/a") == 0o640)
        }
    }

    @Test func `a text that is too long, or leads outside, is a failure`() async throws {
        try await StepFolder.with { folder in
            for more in ["workerdest: a, maxsize: 2", "workerdest: ../a"] {
                let (results, _) = try await folder.run(StringDownload.self, "{s: abc, \(more)}")
                #expect(results == .failure)
            }
            #expect(try folder.names(in: "work") == ["build"])
            #expect(try folder.names(in: "work/build").isEmpty)
        }
    }
}
