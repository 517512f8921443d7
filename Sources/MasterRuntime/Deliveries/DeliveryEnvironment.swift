import Crypto
import FoundationEssentials
import Logging
import MasterHTTP
import MasterKit
import Synchronization

/// The environment that all parts of the deliveries share.
struct DeliveryEnvironment: Sendable {
    /// Provides events and stores deliveries.
    let store: Store
    /// The first part of every delivery id.
    let storeID: String
    /// The title and URL of the master.
    var identity: MasterIdentity
    /// The secrets that reporters' settings refer to.
    var secrets: SecretValues
    /// Sends requests.
    let http: HTTPClient
    /// Logs failures.
    let logger: Logger
    /// The clock.
    let clock: DeliveryClock
    /// The default retry schedule.
    let schedule: RetrySchedule
    /// The limits on what is stored.
    var bounds = DeliveryBounds()
    /// Counts the outcomes of reports in this run.
    let tally = DeliveryTally()
    /// Raised whenever something has finished.
    let changed = Signal()

    /// Masks secrets.
    var mask: SecretMask { secrets.mask }

    /// A copy for another configuration.
    func with(
        _ secrets: SecretValues, _ identity: MasterIdentity, _ bounds: DeliveryBounds
    ) -> DeliveryEnvironment {
        var environment = self
        environment.secrets = secrets
        environment.identity = identity
        environment.bounds = bounds
        return environment
    }

    /// Whether a pipeline works the same in another environment of the same master.
    func isEqual(to other: DeliveryEnvironment) -> Bool {
        secrets.byName == other.secrets.byName && identity == other.identity
            && bounds == other.bounds
    }
}

extension DeliveryEnvironment {
    /// The context that a reporter receives when it sends.
    func context(for recipient: Recipient, id: DeliveryID, attempt: Int) -> DeliveryContext {
        DeliveryContext(
            id: "\(id)", attempt: attempt, logger: logger, secrets: secrets, mask: mask, http: http,
            session: recipient.session)
    }
}

/// The deliveries' clock: the time since they were opened, independent of changes to the system
/// clock.
struct DeliveryClock: Sendable {
    /// The time since the deliveries were opened.
    var elapsed: Duration { read() }
    /// The current date, based on the time since the deliveries were opened.
    var now: Date { opened.addingTimeInterval(elapsed / .seconds(1)) }

    private let opened = Date()
    private let read: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// Starts counting with a clock.
    init(_ clock: some Clock<Duration>) {
        let start = clock.now
        read = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
    }

    /// Waits until a given time has elapsed; returns early if the task is cancelled.
    func wait(until moment: Duration) async {
        do {
            try await sleep(moment)
        } catch {
            // A clock throws only if the task is cancelled, which callers check themselves.
        }
    }
}

extension DeliveryEnvironment {
    /// Identifies the reporter's current URL without revealing it.
    ///
    /// - Parameters:
    ///   - recipient: The reporter.
    ///   - known: What is returned if the URL cannot be computed at present.
    /// - Returns: `nil` for a reporter without a URL of its own.
    func fingerprint(of recipient: Recipient, orIfUnknown known: String? = nil) -> String? {
        let id = DeliveryID(store: storeID, reporter: recipient.id, event: 0, part: 0)
        do {
            let context = context(for: recipient, id: id, attempt: 0)
            guard let address = try recipient.reporter.receiver(in: context) else { return nil }
            let key = SymmetricKey(data: Array("\(id)".utf8))
            let code = HMAC<SHA256>.authenticationCode(for: Array(address.utf8), using: key)
            return Data(code).base64EncodedString()
        } catch {
            // Every attempt to send reports the error; until then the URL counts as unchanged.
            return known
        }
    }
}

/// Counts the outcomes of reports in this run, including those whose rows are removed meanwhile.
final class DeliveryTally: Sendable {
    private struct Counts {
        var delivered = 0
        var dead = 0
        var untold = 0
    }

    private let counts = Mutex(Counts())

    /// The number of delivered reports.
    var delivered: Int { counts.withLock(\.delivered) }
    /// The number of dead reports.
    var dead: Int { counts.withLock(\.dead) }
    /// The number of dead reports that were removed before they could be reported.
    var untold: Int { counts.withLock(\.untold) }

    /// Counts an attempt.
    func note(_ outcome: DeliveryOutcome) {
        counts.withLock { counts in
            switch outcome {
            case .delivered: counts.delivered += 1
            case .dead: counts.dead += 1
            case .again, .closed: break
            }
        }
    }

    /// Counts reports that were given up without an attempt, or removed before they could be
    /// reported.
    func note(dead count: Int, untold: Int = 0) {
        counts.withLock { counts in
            counts.dead += count
            counts.untold += untold
        }
    }
}

/// Wakes tasks that wait for a change.
///
/// A signal raised while no task waits is remembered, once: a task that checks for work, finds none
/// and then waits does not miss what happened in between.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Wakes all waiting tasks, or else the next task that waits.
    func raise() {
        let waiters = state.withLock { state in
            state.isRaised = state.waiters.isEmpty
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for the signal; returns immediately if the task is cancelled.
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

    /// Waits for the signal, at most until a given time if there is one.
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

/// A call to a plugin that can be abandoned.
///
/// Cancellation reaches the plugin immediately. A plugin that ignores it is abandoned after a short
/// time, so that it cannot keep the program from exiting.
enum PluginCall {
    /// A plugin exceeded its time limit.
    struct Overdue: Error, CustomStringConvertible {
        let limit: Duration

        var description: String { "it took longer than \(limit.inSeconds)" }
    }

    /// How long a cancelled plugin may take to return.
    static let grace: Duration = .milliseconds(500)

    private final class Answer<Value: Sendable>: Sendable {
        private struct State {
            var result: Result<Value, any Error>?
            var waiter: CheckedContinuation<Value, any Error>?
        }

        private let state = Mutex(State())

        /// Resumes the waiting caller with the first result.
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

    /// Calls a plugin and returns its result.
    ///
    /// - Parameters:
    ///   - clock: The clock.
    ///   - limit: The time limit, after which the call is cancelled and abandoned.
    ///   - body: Calls the plugin.
    /// - Returns: The plugin's result.
    /// - Throws: Any error thrown by the plugin, ``Overdue``, or `CancellationError` if the call
    ///   was abandoned.
    static func run<Value: Sendable>(
        on clock: DeliveryClock, within limit: Duration? = nil,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let answer = Answer<Value>()
        // Ends with the plugin's function, which decides when to return after cancellation.
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
            // Ends by itself after the grace period.
            Task {
                await clock.wait(until: clock.elapsed + grace)
                answer.give(.failure(CancellationError()))
            }
        }
    }
}
