import FoundationEssentials
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

struct UploadedFilesTests {
    /// The bytes are those sent by `requests`, except for the boundary.
    @Test func `files and fields are one multipart body`() async throws {
        let run = try await StepRun.of(
            POST.self,
            """
            url: SERVER/
            data: {k: v, n: 1.10, l: [a, b], none: null}
            files:
              plain: text é
              named: {content: abc, filename: 'q".txt', content_type: text/plain, headers: {X-A: b}}
            """)

        let request = try run.request
        let type = try #require(request.header("Content-Type"))
        let prefix = "multipart/form-data; boundary="
        #expect(type.hasPrefix(prefix))
        let boundary = String(type.dropFirst(prefix.count))
        #expect(
            request.text.replacing(boundary, with: "B") == """
                --B\r
                Content-Disposition: form-data; name="k"\r
                \r
                v\r
                --B\r
                Content-Disposition: form-data; name="n"\r
                \r
                1.10\r
                --B\r
                Content-Disposition: form-data; name="l"\r
                \r
                a\r
                --B\r
                Content-Disposition: form-data; name="l"\r
                \r
                b\r
                --B\r
                Content-Disposition: form-data; name="plain"; filename="plain"\r
                \r
                text é\r
                --B\r
                Content-Disposition: form-data; name="named"; filename="q%22.txt"\r
                Content-Type: text/plain\r
                X-A: b\r
                \r
                abc\r
                --B--\r

                """)
    }

    @Test func `a file is read where the commands of the build run`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
        try Data([0, 1, 255]).write(to: folder.appending(path: "report.bin"))

        let run = try await StepRun.of(
            POST.self, "{url: SERVER/, files: {report: {path: report.bin}}}",
            worker: LocalWorker(root: folder.path), workdir: folder.path)

        let body = try run.request.body
        #expect(try run.request.text.contains(#"name="report"; filename="report.bin""#))
        #expect(body.firstRange(of: [13, 10, 13, 10, 0, 1, 255, 13, 10]) != nil)
    }

    @Test func `a file that is not there is an error that names it`() async throws {
        let worker = LocalWorker(root: "/")
        let error = await #expect(throws: CommandError.self) {
            try await StepRun.of(
                POST.self, "{url: SERVER/, files: {f: {path: /no/such/file}}}", worker: worker)
        }
        #expect(error?.message.contains("/no/such/file") == true)
    }
}
