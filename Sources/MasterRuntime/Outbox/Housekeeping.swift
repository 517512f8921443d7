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
                if look.isMultiple(of: Self.looksBetweenTrims) || isOverBound { try await trim() }
                try await takeChanges()
                look += 1
                let clock = environment.clock
                await clock.wait(until: clock.elapsed + Self.lookInterval)
            }
        } catch {
            environment.logger.debug("nothing is tidied any more: \(error)")
        }
    }

    private var isOverBound: Bool {
        let kept = sendings.reduce(0) { $0 + $1.keptByteCount }
        return kept > environment.bounds.maxBytes.bytes && sendings.contains { $0.mayExpire }
    }

    /// Gives up what is too much or too old, and removes what nobody needs.
    func trim() async throws(StoreError) {
        let bounds = environment.bounds
        var isMore = true
        while isMore, !Task.isCancelled {
            let expirable = Dictionary(
                uniqueKeysWithValues: sendings.map { ($0.recipient.id, $0.expirable) })
            let (expired, trimmed, isOver) = try await environment.store.write { transaction in
                let kept = try transaction.keepWithin(bounds, expiring: expirable)
                let trimmed = try transaction.trim(maximumAge: bounds.maxAge)
                return (kept.expired, trimmed, !kept.isMore && !trimmed.isMore)
            }
            isMore = !isOver
            environment.tally.note(dead: expired, untold: trimmed.untoldCount)
            guard expired > 0 else { continue }
            environment.logger.debug("\(expired) reports that no receiver took have expired")
        }
    }

    /// Takes over what was changed since the last look.
    func takeChanges() async throws(StoreError) {
        let known = changeCount.withLock { $0 }
        let found = try await environment.store.read { try $0.changeCount() }
        let isNew = found != known
        for sending in sendings where isNew || sending.isToBeLookedAt {
            let (id, others) = (sending.recipient.id, sending.changedUnderWay)
            let changes = try await environment.store.read { database in
                try database.changes(ofReporter: id, after: known, and: others)
            }
            sending.take(changes)
        }
        changeCount.withLock { $0 = found }
    }
}
