import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct RequestLimitsTests {
    @Test(arguments: [
        ("timeout: 9", [200: Results.success, 302: .success, 399: .success, 400: .failure]),
        ("success: 200", [200: .success, 201: .failure, 404: .failure]),
        ("success: [200, '202-299']", [200: .success, 201: .failure, 299: .success]),
        ("success: 2xx", [204: .success, 304: .failure]),
        ("success: [2xx, 404]", [404: .success, 410: .failure]),
        ("success: !Property codes", [418: .success, 200: .failure]),
    ])
    func `success says which statuses are one`(
        _ settings: String, _ expected: [Int: Results]
    ) async throws {
        for (status, results) in expected {
            let run = try await StepRun.of(
                GET.self, "{url: SERVER/, \(settings)}", properties: ["codes": [418]]
            ) { _ in .respond(status: status) }
            #expect(run.results == results, "\(status)")
            #expect(run.harness.summary == "Status code: \(status)")
        }
    }

    /// Like the attribute of the same name of a `requests` session.
    @Test(arguments: [(0, 1, false), (1, 1, true), (2, 3, false), (3, 3, true)])
    func `one redirect more than max_redirects is a failure`(
        limit: Int, redirects: Int, isSuccess: Bool
    ) async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/0, max_redirects: \(limit)}"
        ) { request in
            let hop = Int(request.path.dropFirst()) ?? 0
            return hop < redirects ? .redirect(to: "/\(hop + 1)") : .text("landed\n")
        }

        #expect(run.results == (isSuccess ? .success : .failure))
        #expect(run.requests.count == limit + 1)
        let words = "; the limit is 'max_redirects'\n"
        #expect(run.log("log")?.hasSuffix(words) == !isSuccess)
        #expect(run.log("log")?.contains("\neStatus: 302\n") == true)
    }

    @Test(arguments: [("", true), (", stream: true", true), ("", false), (", stream: true", false)])
    func `an answer larger than max_size is a failure`(
        _ more: String, _ isChunked: Bool
    ) async throws {
        for (size, results) in [(100, Results.success), (101, .failure)] {
            let body = [UInt8](repeating: 0x61, count: size)
            let run = try await StepRun.of(
                GET.self, "{url: SERVER/, max_size: 100\(more)}"
            ) { _ in isChunked ? .chunked(chunks: [body]) : .respond(body: body) }

            #expect(run.results == results)
            let words =
                "more than 100 bytes; raise the limit if such an answer is expected; the "
                + "limit is 'max_size'\n"
            #expect(run.log("log")?.hasSuffix(words) == (results == .failure))
        }
    }

    @Test func `headers without end are no matter of max_size`() async throws {
        let run = try await StepRun.of(GET.self, "SERVER/") { _ in
            .endless(head: Array("HTTP/1.1 200 OK\r\n".utf8), repeating: Array("A: b\r\n".utf8))
        }
        #expect(run.results == .failure)
        #expect(run.log("log")?.contains("max_size") == false)
    }
}
