import MasterKit
import MasterRuntime
import MasterTesting
import Synchronization
import Testing

@testable import MasterWeb

/// How long the web server knows its users, and how many of them.
struct WebSessionsTests {
    /// A clock that the tests set.
    private final class SetClock: Sendable {
        private let passed = Mutex(Duration.zero)
        private let start = ContinuousClock.now

        var now: ContinuousClock.Instant { start + passed.withLock(\.self) }

        func advance(by time: Duration) { passed.withLock { $0 += time } }
    }

    @Test func `a login lasts seven days`() {
        let clock = SetClock()
        let sessions = WebSessions { clock.now }
        let id = sessions.begin(user: "alice", secret: "one")
        func user() -> String? { sessions.user(of: id) { _ in "one" } }
        clock.advance(by: WebSessions.lifetime - .seconds(1))
        #expect(user() == "alice")
        clock.advance(by: .seconds(1))
        #expect(user() == nil)
    }

    @Test func `of too many logins the oldest ends`() {
        let clock = SetClock()
        let sessions = WebSessions { clock.now }
        let ids = (1...1001).map { number in
            clock.advance(by: .seconds(1))
            return sessions.begin(user: "user \(number)", secret: "one")
        }
        let users = ids.map { id in sessions.user(of: id) { _ in "one" } }
        #expect(users.first == .some(nil))
        #expect(users.dropFirst().allSatisfy { $0 != nil })
    }

    @Test func `an address has to wait for a minute, others do not`() {
        let clock = SetClock()
        let sessions = WebSessions { clock.now }
        for _ in 1...9 { sessions.noteFailure(of: "a") }
        #expect(sessions.pause(for: "a") == nil)
        clock.advance(by: .seconds(20))
        sessions.noteFailure(of: "a")
        #expect(sessions.pause(for: "a") == .seconds(40))
        #expect(sessions.pause(for: "b") == nil)
        clock.advance(by: .seconds(40))
        #expect(sessions.pause(for: "a") == nil)
        sessions.noteFailure(of: "a")
        #expect(sessions.pause(for: "a") == nil)
    }

    @Test func `addresses of one network of IPv6 wait together`() async throws {
        let yaml = """
            www: {port: 0, auth: {users: {alice: !Secret alice}}}
            secrets: [secrets.Environment]
            builders: [{name: one, steps: []}]
            """
        try await withWeb(yaml, secrets: ["alice": "wonderland-7"]) { web in
            func status(_ address: String) async throws -> Int {
                try await web.post(
                    "/auth/login", "username=alice&password=wrong",
                    "Content-Type: application/x-www-form-urlencoded",
                    "X-Forwarded-For: \(address)"
                ).status
            }
            for host in 1...10 {
                let wrong = try await status("2001:db8:1:2:\(host)::1")
                #expect(wrong == 401)
            }
            let (same, other) = try await (
                status("2001:db8:1:2:99::1"), status("2001:db8:1:3:99::1")
            )
            #expect(same == 429)
            #expect(other == 401)
        }
    }

    @Test func `a client listens to a limited number of paths`() async throws {
        try await withMaster("builders: [{name: one, steps: []}]") { master, _ in
            let hub = LiveHub(master.events)
            let client = hub.connect()
            defer { hub.disconnect(client) }
            for number in 1...LiveHub.patternLimit {
                #expect(hub.add(["builds", "\(number)"], to: client))
            }
            #expect(!hub.add(["changes"], to: client))
            #expect(hub.remove(["builds", "1"], from: client))
            #expect(hub.add(["changes"], to: client))
        }
    }
}
