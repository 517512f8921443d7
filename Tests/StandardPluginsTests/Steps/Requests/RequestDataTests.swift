import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

struct RequestDataTests {
    private static let size = 1_500_000
    private static let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    /// Runs a step in a folder with the file `out/report.bin`.
    private static func run(
        _ type: (some Step).Type, _ settings: String, properties: JSONObject = [:],
        _ answers: [ServerAnswer] = [.text("ok\n")]
    ) async throws -> StepRun {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let out = folder.appending(path: "out")
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try Data(bytes).write(to: out.appending(path: "report.bin"))
        return try await StepRun.of(
            type, "{url: SERVER/, \(settings)}", properties: properties,
            worker: LocalWorker(root: folder.path), workdir: folder.path, clock: EagerClock(),
            answering: StepRun.series(answers))
    }

    @Test(arguments: [
        "data: !File out/report.bin", "data: !File {path: out/report.bin}",
        "data: !File {path: !Interpolate '%(prop:folder)s/report.bin'}",
    ])
    func `a file of the worker is sent as it is`(_ settings: String) async throws {
        let run = try await Self.run(POST.self, settings, properties: ["folder": "out"])

        #expect(run.results == .success)
        #expect(try run.request.body == Self.bytes)
        #expect(try run.request.header("Content-Type") == nil)
        #expect(try run.request.header("Content-Length") == "\(Self.size)")
        #expect(
            run.log("log")?.contains("hData:\nh\tfile out/report.bin (\(Self.size) bytes)\n")
                == true)
    }

    @Test func `it is sent again after a redirect, a challenge and a failure`() async throws {
        let challenge = ServerAnswer.respond(
            status: 401, headers: [("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\"")])
        for (more, answers) in [
            ("timeout: 9", [ServerAnswer.redirect(307, to: "/b"), .text("ok\n")]),
            ("auth: {digest: [user, word]}", [challenge, .text("ok\n")]),
            ("retry: 2", [.respond(status: 503), .text("ok\n")]),
        ] {
            let run = try await Self.run(PUT.self, "data: !File out/report.bin, \(more)", answers)
            #expect(run.results == .success)
            #expect(run.requests.count == 2)
            #expect(run.requests.last?.body == Self.bytes)
        }
    }

    @Test func `a redirect that asks for a GET leaves it out`() async throws {
        let run = try await Self.run(
            POST.self, "data: !File out/report.bin", [.redirect(303, to: "/b"), .text("ok\n")])
        #expect(run.requests.map(\.method) == ["POST", "GET"])
        #expect(run.requests.last?.body == [])
    }

    @Test func `a file may be one of files, with fields beside it`() async throws {
        let run = try await Self.run(
            POST.self,
            "data: {k: v}, files: {a: !File out/report.bin, b: {path: out/report.bin, filename: n}}"
        )

        let body = Data(try run.request.body)
        #expect(body.count > 2 * Self.size)
        for part in [
            "name=\"a\"; filename=\"report.bin\"\r\n\r\n", "name=\"b\"; filename=\"n\"\r\n\r\n",
            "name=\"k\"\r\n\r\nv\r\n",
        ] {
            #expect(body.range(of: Data(part.utf8)) != nil)
        }
        #expect(
            run.log("log")?.contains(
                "hData:\nh\tk: v\nhFiles:\nh\ta: report.bin (\(Self.size) bytes)\n") == true)
    }

    @Test func `neither is there a limit to its size`() async throws {
        let place = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let size = (64 << 20) + 1
        #expect(FileManager.default.createFile(atPath: place.path, contents: nil))
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: place) } }
        try FileHandle(forWritingTo: place).truncate(atOffset: UInt64(size))

        for settings in ["data: !File \(place.path)", "files: {f: !File \(place.path)}"] {
            let run = try await Self.run(PUT.self, settings)
            #expect(run.results == .success)
            #expect(try run.request.body.count >= size)
        }
    }

    @Test(arguments: ["data: !File gone", "files: {f: !File gone}"])
    func `a file that is not there is an error that names it`(_ settings: String) async throws {
        let error = await #expect(throws: CommandError.self) {
            try await Self.run(POST.self, settings)
        }
        #expect(error?.message.contains("/gone") == true)
    }

    @Test func `a path that comes out as none is an error`() async throws {
        let error = await #expect(throws: RenderError.self) {
            try await Self.run(POST.self, "data: !File {path: !Property p}", properties: ["p": ""])
        }
        #expect(error?.message.contains("must be the path of a file") == true)
    }

    @Test func `beside data and files a tag File is the text of a file of the master`()
        async throws
    {
        let place = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data("v1\n".utf8).write(to: place)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: place) } }
        let run = try await Self.run(
            POST.self,
            "headers: {X-Version: !File \(place.path)}, data: {v: !File \(place.path)}")
        #expect(try run.request.header("X-Version") == "v1")
        #expect(try run.request.text == "v=v1")
    }
}
