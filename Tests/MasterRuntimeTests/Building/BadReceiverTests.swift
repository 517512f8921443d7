import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Slow, faulty or missing receivers, which do not affect builds.
struct BadReceiverTests {
    private static func yaml(_ url: String) -> String {
        """
        services: [reporters.HttpStatusPush: "\(url)/status"]
        steps: [steps.Give: {result: failure, says: bad}, steps.Give: success]
        """
    }

    private static let outline = [
        "failure: failed bad (failure)", "Give: bad (failure)", "Give_1: finished",
    ]

    @Test func `one that hangs delays neither the build nor, beyond the drain, the end`()
        async throws
    {
        try await withLoopbackServer(handler: { _ in .hang }) { server in
            try await MasterBench.with(Self.yaml(server.url)) { bench in
                let start = ContinuousClock.now
                let (build, deliveries) = try await bench.run { master in
                    let build = try await master.build()[0]
                    return (build, try await master.drain(for: .milliseconds(200)).deliveries)
                }
                // The reporter itself would wait for 30 s, and so would anything that waits for it.
                #expect(ContinuousClock.now - start < .seconds(25))
                #expect(build.outline == Self.outline)
                let end = try #require(build.build.completeAt)
                #expect(end.timeIntervalSince(build.build.startedAt) < 20)
                #expect(deliveries.map(\.state) == [.open, .open])
            }
        }
    }

    @Test(arguments: ["500", "half", "reset", "down"])
    func `the next run delivers what was left, in order`(_ fault: String) async throws {
        let isWell = Journal<Void>()
        let server = try LoopbackServer { _ in
            guard isWell.entries.isEmpty else { return .text("ok") }
            return switch fault {
            case "500": .text("no", status: 500)
            case "half": .closeHalfway(body: Array("long answer".utf8), after: 3)
            default: .reset
            }
        }
        let url = fault == "down" ? try await Self.unused() : server.url
        try await MasterBench.with(Self.yaml(url)) { bench in
            let (first, left) = try await bench.run { master in
                let build = try await master.build()[0]
                return (build, try await master.drain(for: .milliseconds(100)).deliveries)
            }
            #expect(first.outline == Self.outline)
            #expect(left.map(\.state) == [.open, .open])
            #expect(left.first?.error != nil)

            isWell.add(())
            try bench.write(Self.yaml(server.url))
            let seen = server.requests.count
            let (second, deliveries) = try await bench.run { master in
                let build = try await master.build()[0]
                return (build, try await master.drain(for: .seconds(10)).deliveries)
            }
            #expect(second.outline == Self.outline)
            #expect(deliveries.allSatisfy { $0.state == .delivered })
            let reports = server.requests.dropFirst(seen).compactMap(\.json)
            let order = reports.map { "\($0["number"]?.intValue ?? 0) \($0["complete"] ?? nil)" }
            for number in 1...2 {
                let own = order.filter { $0.hasPrefix("\(number) ") }
                #expect(own.count == 2)
                #expect(own == own.sorted { $0.count > $1.count })
            }
        }
        await server.stop()
    }

    /// Returns a URL on which nothing listens.
    private static func unused() async throws -> String {
        let server = try LoopbackServer { _ in .reset }
        await server.stop()
        return server.url
    }
}

extension ReceivedRequest {
    /// The body as JSON.
    var json: JSONValue? {
        do {
            return try JSONValue(parsing: text)
        } catch {
            return nil
        }
    }
}
