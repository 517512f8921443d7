import Crypto
import FoundationEssentials
import Logging
import MasterHTTP
import MasterKit
import Synchronization

/// What all parts of the deliveries work with.
struct DeliveryEnvironment: Sendable {
    /// Where events are read and deliveries are kept.
    let store: Store
    /// What begins the id of every delivery.
    let storeID: String
    /// The title and address of the master.
    var identity: MasterIdentity
    /// What reporters' settings refer to.
    var secrets: SecretValues
    /// What sends requests.
    let http: HTTPClient
    /// Where faults are said.
    let logger: Logger
    /// The time.
    let clock: DeliveryClock
    /// When a failed try is repeated.
    let schedule: RetrySchedule
    /// How much is kept for how long.
    var bounds = DeliveryBounds()
    /// What has become of reports in this run.
    let tally = DeliveryTally()
    /// Raised whenever something has come to an end.
    let changed = Signal()

    /// What hides secrets.
    var mask: SecretMask { secrets.mask }

    /// The same for another configuration.
    func with(
        _ secrets: SecretValues, _ identity: MasterIdentity, _ bounds: DeliveryBounds
    ) -> DeliveryEnvironment {
        var environment = self
        environment.secrets = secrets
        environment.identity = identity
        environment.bounds = bounds
        return environment
    }

    /// Whether a pipeline works in the same way in another environment of the same master.
    func isEqual(to other: DeliveryEnvironment) -> Bool {
        secrets.byName == other.secrets.byName && identity == other.identity
            && bounds == other.bounds
    }
}

extension DeliveryEnvironment {
    /// What a reporter sees while it sends.
    func context(for recipient: Recipient, id: DeliveryID, attempt: Int) -> DeliveryContext {
        DeliveryContext(
            id: "\(id)", attempt: attempt, logger: logger, secrets: secrets, mask: mask, http: http,
            session: recipient.session)
    }
}

/// The time of deliveries: what has passed since they were opened, whatever the clock on the wall says.
struct DeliveryClock: Sendable {
    /// The time since they were opened.
    var elapsed: Duration { read() }
    /// The date, counted from when they were opened.
    var now: Date { opened.addingTimeInterval(elapsed / .seconds(1)) }

    private let opened = Date()
    private let read: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Begins to count with a clock.
    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        read = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }

    /// Waits until so much time has passed; returns early in a task that is cancelled.
    func wait(until moment: Duration) async {
        do {
            try await sleep(moment)
        } catch {
            // A clock throws only when the task is cancelled, and who waits looks at that itself.
        }
    }
}

extension DeliveryEnvironment {
    /// What tells the present address of a reporter from others without showing it.
    ///
    /// - Returns: `nil` for a reporter without one, or when it cannot be computed at present.
    func fingerprint(of recipient: Recipient) -> String? {
        let id = DeliveryID(store: storeID, reporter: recipient.id, event: 0, part: 0)
        do {
            let context = context(for: recipient, id: id, attempt: 0)
            guard let address = try recipient.reporter.receiver(in: context) else { return nil }
            let key = SymmetricKey(data: Array("\(id)".utf8))
            let code = HMAC<SHA256>.authenticationCode(for: Array(address.utf8), using: key)
            return Data(code).base64EncodedString()
        } catch {
            // Every try to send says why; until then it counts as the address it was.
            return nil
        }
    }
}

/// Counts what becomes of reports in this run, also of those whose rows are removed meanwhile.
final class DeliveryTally: Sendable {
    private struct Counts {
        var delivered = 0
        var dead = 0
        var untold = 0
    }

    private let counts = Mutex(Counts())

    /// How many reports have arrived.
    var delivered: Int { counts.withLock(\.delivered) }
    /// How many were given up.
    var dead: Int { counts.withLock(\.dead) }
    /// How many were removed before anybody was told that they were given up.
    var untold: Int { counts.withLock(\.untold) }

    /// Counts a try.
    func note(_ outcome: DeliveryOutcome) {
        counts.withLock { counts in
            switch outcome {
            case .delivered: counts.delivered += 1
            case .dead: counts.dead += 1
            case .again, .closed: break
            }
        }
    }

    /// Counts reports that were given up without a try, or removed untold.
    func note(dead count: Int, untold: Int = 0) {
        counts.withLock { counts in
            counts.dead += count
            counts.untold += untold
        }
    }
}

/// Wakes tasks that wait for something to have changed.
///
/// A signal that nobody waits for is kept, once: who looks, finds nothing and then waits misses
/// nothing of what happened in between.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Wakes everybody who waits, or the next who comes to wait.
    func raise() {
        let waiters = state.withLock { state in
            state.isRaised = state.waiters.isEmpty
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for the signal; returns at once in a task that is cancelled.
    func wait() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    let isOver = state.isRaised || Task.isCancelled
                    state.isRaised = state.isRaised && !isOver
                    if !isOver { state.waiters[id] = continuation }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume()
        }
    }

    /// Waits for the signal, but not beyond a moment; without one only for the signal.
    func wait(until moment: Duration?, on clock: DeliveryClock) async {
        guard let moment else { return await wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await clock.wait(until: moment) }
            group.addTask { await self.wait() }
            await group.next()
            group.cancelAll()
        }
    }
}

/// A call into a plugin that can be left behind.
///
/// Cancelling reaches the plugin at once. One that does not heed it is waited for no longer than a
/// moment, so that it cannot keep the program from ending.
enum PluginCall {
    /// A plugin that took longer than it may.
    struct Overdue: Error, CustomStringConvertible {
        let limit: Duration

        var description: String { "it took longer than \(limit.inSeconds)" }
    }

    /// How long a plugin has to come to an end after it was cancelled.
    static let grace: Duration = .milliseconds(500)

    private final class Answer<Value: Sendable>: Sendable {
        private struct State {
            var result: Result<Value, any Error>?
            var waiter: CheckedContinuation<Value, any Error>?
        }

        private let state = Mutex(State())

        /// Gives the first result to who waits for it.
        func give(_ result: Result<Value, any Error>) {
            let waiter = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                guard state.result == nil else { return nil }
                state.result = result
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(with: result)
        }

        func wait() async throws -> Value {
            try await withCheckedThrowingContinuation { waiter in
                let result = state.withLock { state in
                    if state.result == nil { state.waiter = waiter }
                    return state.result
                }
                if let result { waiter.resume(with: result) }
            }
        }
    }

    /// Calls a plugin and gives what it returns or throws.
    ///
    /// - Parameters:
    ///   - clock: What the time is measured with.
    ///   - limit: How long it may take; then it is cancelled and left behind.
    ///   - body: Calls the plugin.
    /// - Returns: What the plugin returns.
    /// - Throws: What the plugin throws, ``Overdue``, or `CancellationError` when it was left behind.
    static func run<Value: Sendable>(
        on clock: DeliveryClock, within limit: Duration? = nil,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        // Ends with the plugin's function, which alone decides when that is once it was cancelled.
        let call = Task {
            do {
                answer.give(.success(try await body()))
            } catch {
                answer.give(.failure(error))
            }
        }
        // Ends with the call.
        let timer = limit.map { limit in
            Task {
                await clock.wait(until: clock.elapsed + limit)
                guard !Task.isCancelled else { return }
                call.cancel()
                answer.give(.failure(Overdue(limit: limit)))
            }
        }
        defer { timer?.cancel() }
        return try await withTaskCancellationHandler {
            try await answer.wait()
        } onCancel: {
            call.cancel()
            // Ends by itself when the grace is over.
            Task {
                await clock.wait(until: clock.elapsed + grace)
                answer.give(.failure(CancellationError()))
            }
        }
    }
}
