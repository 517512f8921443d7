import MasterKit
import Synchronization

/// Keeps what is stored for receivers within its bounds while the outbox runs, and takes over what
/// people change of it by commands.
final class Housekeeping: Sendable {
    /// How often it is looked for changes from outside.
    static let lookInterval: Duration = .milliseconds(700)
    /// After how many looks it is seen to the bounds.
    static let looksBetweenTrims = 10

    private let sendings: [Sending]
    private let environment: OutboxEnvironment
    private let changeCount: Mutex<Int>

    init(of sendings: [Sending], from changeCount: Int, in environment: OutboxEnvironment) {
        self.sendings = sendings
        self.environment = environment
        self.changeCount = Mutex(changeCount)
    }

    /// Works until the task is cancelled or the store fails, which others say.
    func run() async {
        do {
            var look = 0
            while !Task.isCancelled {
                if look.isMultiple(of: Self.looksBetweenTrims) { try await trim() }
                try await takeChanges()
                look += 1
                let clock = environment.clock
                await clock.wait(until: clock.elapsed + Self.lookInterval)
            }
        } catch {
            environment.logger.debug("nothing is tidied any more: \(error)")
        }
    }

    /// Gives up what is too much or too old, and removes what nobody needs.
    func trim() async throws(StoreError) {
        let bounds = environment.bounds
        var isMore = true
        while isMore, !Task.isCancelled {
            let (expired, isOver) = try await environment.store.write { transaction in
                let kept = try transaction.keepWithin(bounds)
                let isLeft = try transaction.trim(maximumAge: bounds.maxAge)
                return (kept.expired, !kept.isMore && !isLeft)
            }
            isMore = !isOver
            guard expired > 0 else { continue }
            environment.logger.warning(
                "\(expired) reports that nobody took were given up, the oldest; see 'delivery' in the file"
            )
        }
    }

    /// Takes over what was changed since the last look.
    func takeChanges() async throws(StoreError) {
        let known = changeCount.withLock { $0 }
        let found = try await environment.store.read { try $0.changeCount() }
        let isNew = found != known
        for sending in sendings where isNew || !sending.changedUnderWay.isEmpty {
            let (id, others) = (sending.recipient.id, sending.changedUnderWay)
            let changes = try await environment.store.read { database in
                try database.changes(ofReporter: id, after: known, and: others)
            }
            sending.take(changes)
        }
        changeCount.withLock { $0 = found }
    }
}
