internal import Crypto
internal import MasterKit
internal import Synchronization

/// What the web server remembers of its users while the master runs: who has logged in, and who has
/// failed to.
final class WebSessions: Sendable {
    /// How long a login lasts.
    static let lifetime: Duration = .seconds(7 * 24 * 3600)
    /// The most logins; beyond that the oldest ends.
    private static let maximumCount = 1000
    /// The failed logins of one address within a window.
    private static let failureLimit = 10
    private static let failureWindow: Duration = .seconds(60)
    private static let maximumAddressCount = 10_000

    private struct Session {
        let user: String
        /// What the user logged in with.
        let secret: SHA256Digest
        let begun: ContinuousClock.Instant
    }

    private struct Failures {
        var count: Int
        let since: ContinuousClock.Instant
    }

    private struct State {
        /// The logins by the digest of their cookie.
        var sessions: [SHA256Digest: Session] = [:]
        var failures: [String: Failures] = [:]
    }

    private let state = Mutex(State())
    private let key = SymmetricKey(size: .bits256)
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
    }

    // MARK: Logins

    /// Begins a login.
    ///
    /// - Parameters:
    ///   - user: The user.
    ///   - secret: What the user has logged in with.
    /// - Returns: The value of its cookie.
    func begin(user: String, secret: String) -> String {
        let (id, time) = (Self.newID(), now())
        state.withLock { state in
            if state.sessions.count >= Self.maximumCount,
                let oldest = state.sessions.min(by: { $0.value.begun < $1.value.begun })
            {
                state.sessions[oldest.key] = nil
            }
            state.sessions[Self.digest(id)] = Session(
                user: user, secret: Self.digest(secret), begun: time)
        }
        return id
    }

    /// The user of a cookie.
    ///
    /// - Parameters:
    ///   - id: The value of the cookie.
    ///   - secret: What a user logs in with now, or `nil` for one who can't; logins with anything
    ///     else have ended.
    /// - Returns: The user, or `nil` if nobody is logged in with the cookie.
    func user(of id: String, secret: (String) -> String?) -> String? {
        let time = now()
        return state.withLock { state in
            guard let session = state.sessions[Self.digest(id)] else { return nil }
            guard time - session.begun < Self.lifetime,
                secret(session.user).map(Self.digest) == session.secret
            else {
                state.sessions[Self.digest(id)] = nil
                return nil
            }
            return session.user
        }
    }

    /// Ends a login.
    func end(_ id: String) {
        state.withLock { $0.sessions[Self.digest(id)] = nil }
    }

    /// A text that nobody can guess, for a cookie.
    static func newID() -> String {
        var system = SystemRandomNumberGenerator()
        return (0..<4).map { _ in String(system.next() as UInt64, radix: 36) }.joined()
    }

    private static func digest(_ text: String) -> SHA256Digest {
        SHA256.hash(data: Array(text.utf8))
    }

    // MARK: Forms

    /// The token of the forms on pages that a cookie's owner has loaded.
    func formToken(for id: String) -> String {
        HMAC<SHA256>.authenticationCode(for: Array(id.utf8), using: key).map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16)
        }.joined()
    }

    /// Whether a form comes from a page that the cookie's owner has loaded.
    func isGenuine(_ token: String, for id: String) -> Bool {
        Self.isSame(token, formToken(for: id))
    }

    /// Compares secrets, in a time that does not depend on where they differ.
    static func isSame(_ given: String, _ expected: String) -> Bool {
        digest(given) == digest(expected)
    }

    // MARK: Failures

    /// How long an address must wait until its next attempt, because too many have failed.
    func pause(for address: String) -> Duration? {
        let time = now()
        return state.withLock { state in
            guard let failures = state.failures[address], failures.count >= Self.failureLimit
            else { return nil }
            let rest = Self.failureWindow - (time - failures.since)
            return rest > .zero ? rest : nil
        }
    }

    func noteFailure(of address: String) {
        let time = now()
        state.withLock { state in
            if state.failures.count >= Self.maximumAddressCount {
                state.failures = state.failures.filter {
                    time - $0.value.since < Self.failureWindow
                }
                // An attacker with that many addresses must not fill the memory.
                if state.failures.count >= Self.maximumAddressCount { state.failures = [:] }
            }
            if var known = state.failures[address], time - known.since < Self.failureWindow {
                known.count += 1
                state.failures[address] = known
            } else {
                state.failures[address] = Failures(count: 1, since: time)
            }
        }
    }
}
