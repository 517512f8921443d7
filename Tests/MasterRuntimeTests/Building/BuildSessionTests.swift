import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// Which steps and builds share cookies.
struct BuildSessionTests {
    @Test(arguments: [
        ("build", ["none", "a=1", "none", "a=1"]),
        ("shared", ["none", "a=1", "a=1", "a=1"]),
    ])
    func `cookies stay in a build unless the file says otherwise`(
        _ sharing: String, _ cookies: [String]
    ) async throws {
        try await withLoopbackServer(handler: { _ in
            .text("ok", headers: [("Set-Cookie", "a=1")])
        }) { server in
            let yaml = """
                httpSession: \(sharing)
                steps: [steps.GET: "\(server.url)/1", steps.GET: "\(server.url)/2"]
                """
            try await MasterBench.with(yaml) { bench in
                _ = try await bench.run { master in
                    _ = try await master.build()
                    return try await master.build()
                }
                #expect(server.requests.map { $0.header("Cookie") ?? "none" } == cookies)
            }
        }
    }
}
