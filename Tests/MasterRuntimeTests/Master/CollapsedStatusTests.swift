import Foundation
import MasterKit
import MasterTesting
import Synchronization
import Testing

@testable import MasterRuntime

/// The statuses of commits whose requests are built together with newer ones.
@Suite(.timeLimit(.minutes(1)))
struct CollapsedStatusTests {
    private static func yaml(_ server: LoopbackServer) -> String {
        """
        services:
          - reporters.GitHubStatusPush:
              token: t
              baseURL: "\(server.url)"
              retry: {attempts: 1000, backoff: 20ms, maxBackoff: 40ms}
        schedulers:
          - schedulers.SingleBranchScheduler: {name: main, branch: main, builderNames: [one]}
        builders:
          - {name: one, steps: [steps.Play: $one]}
        """
    }

    private static func push(_ revision: String, to master: Master) async throws {
        let change = Change(
            author: "Ann", comments: revision,
            sourceStamp: SourceStamp(
                branch: "main", revision: revision, repository: "https://git.example/owner/name"),
            when: .now)
        let id = try await master.addChange(change).id
        try await ChangeSchedulerTests.wait(for: id, by: "main", master)
    }

    /// The states of a commit with their descriptions, in order.
    private static func statuses(
        of revision: String, at server: LoopbackServer
    ) throws -> [String] {
        try server.requests.filter { $0.target.hasSuffix("/statuses/\(revision)") }.map {
            let body = try JSONParser().parse($0.body)
            return "\(body["state"]?.stringValue ?? ""): \(body["description"]?.stringValue ?? "")"
        }
    }

    /// Waits until a commit has as many statuses.
    private static func wait(
        for count: Int, of revision: String, at server: LoopbackServer
    ) async throws -> [String] {
        while true {
            let found = try statuses(of: revision, at: server)
            if found.count >= count { return found }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Pushes five commits while the first one is built.
    private func push(
        to server: LoopbackServer, then body: (Master, Latch<Void>) async throws -> Void
    ) async throws {
        let (gate, began) = (Latch<Void>(), Journal<String>())
        let scripts: [String: Scripts.Script] = [
            "one": { _ in
                began.add("one")
                await gate.wait()
                return .failure
            }
        ]
        try await MasterBench.with(Self.yaml(server), scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "main", master)
                try await Self.push("r1", to: master)
                await began.wait(for: 1)
                for number in 2...5 { try await Self.push("r\(number)", to: master) }
                // Also after a failure, the build must end.
                defer { gate.set(()) }
                try await body(master, gate)
            }
        }
    }

    @Test func `each commit gets the result of the build that it is part of`() async throws {
        try await withLoopbackServer { _ in
            .text("{}", status: 201)
        } _: { server in
            try await push(to: server) { master, gate in
                // They are shown as pending before they are built.
                for number in 2...5 {
                    let pending = try await Self.wait(for: 1, of: "r\(number)", at: server)
                    #expect(pending == ["pending: build requested"])
                }
                gate.set(())
                let own = ["pending: build requested", "pending: build started"]
                let newest = try await Self.wait(for: 3, of: "r5", at: server)
                #expect(newest.dropLast() == own[...])
                let result = try #require(newest.last)
                #expect(result.hasPrefix("failure: "))
                for number in 2...4 {
                    let found = try await Self.wait(for: 3, of: "r\(number)", at: server)
                    #expect(
                        found == [
                            own[0], own[1] + " (with a newer commit)",
                            result + " (with a newer commit)",
                        ])
                }
                let first = try await Self.wait(for: 3, of: "r1", at: server)
                #expect(first == own + [result])
                // Nothing else is reported, and all of it links to the second build.
                try await CollapsingTests.waitForRequests(master)
                #expect(server.requests.count == 15)
                let links = try server.requests.filter { $0.target.hasSuffix("/r3") }.map {
                    try JSONParser().parse($0.body)["target_url"]?.stringValue ?? ""
                }
                #expect(links.dropFirst().allSatisfy { $0.hasSuffix("/builds/2") }, "\(links)")
            }
        }
    }

    @Test func `a server that was away gets the states of each commit in order`() async throws {
        let isAway = Mutex(true)
        let accepted = Mutex<[String: [String]]>([:])
        try await withLoopbackServer { request in
            guard !isAway.withLock({ $0 }) else { return .text("", status: 503) }
            let revision = request.target.split(separator: "/").last.map(String.init) ?? ""
            let state = (try? JSONParser().parse(request.body))?["state"]?.stringValue ?? ""
            accepted.withLock { $0[revision, default: []].append(state) }
            return .text("{}", status: 201)
        } _: { server in
            try await push(to: server) { master, gate in
                gate.set(())
                try await CollapsingTests.waitForRequests(master)
                isAway.withLock { $0 = false }
                while accepted.withLock({ $0.values.reduce(0) { $0 + $1.count } }) < 15 {
                    try await Task.sleep(for: .milliseconds(5))
                }
                for number in 1...5 {
                    let states = accepted.withLock { $0["r\(number)"] }
                    #expect(states == ["pending", "pending", "failure"], "r\(number)")
                }
            }
        }
    }

    @Test func `if the newest request is cancelled, so are all`() async throws {
        try await withLoopbackServer { _ in
            .text("{}", status: 201)
        } _: { server in
            try await push(to: server) { master, gate in
                await master.cancelRequests(of: "one", reason: "test")
                for number in 2...5 {
                    let found = try await Self.wait(for: 2, of: "r\(number)", at: server)
                    #expect(found == ["pending: build requested", "error: build cancelled"])
                }
                gate.set(())
                _ = try await Self.wait(for: 3, of: "r1", at: server)
            }
        }
    }
}
