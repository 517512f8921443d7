internal import DequeModule
internal import Dispatch
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// The writer's bounded queue.
///
/// Transitions beyond the bound are queued along with their suspended callers, which preserves the
/// order of arrival.
final class TransitionQueue: Sendable {
    /// The number of queued transitions from which on posting callers are suspended.
    static let bound = 4096
    /// The maximum number of transitions per commit.
    static let batchCount = 256

    /// How long posted transitions wait for others that share their commit.
    private static let patience = DispatchTimeInterval.milliseconds(1)

    private typealias Admission = CheckedContinuation<Void, Never>

    /// What the writer's thread sleeps for.
    private enum Rest {
        /// A transition.
        case empty
        /// A transition whose caller waits for it, or a whole batch; those that wait were posted.
        case posted
    }

    private struct State {
        var waiting: Deque<(transition: Transition, admission: Admission?)> = []
        var rest: Rest?
        var end: StoreError?
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)

    /// Adds a transition whose caller awaits its outcome in any case.
    func append(_ transition: Transition) {
        insert(transition, admission: nil)
    }

    /// Adds a transition; returns once it is within the bound.
    func post(_ transition: Transition) async {
        await withCheckedContinuation { admission in
            insert(transition, admission: admission)
        }
    }

    /// The number of queued transitions.
    var count: Int { state.withLock(\.waiting.count) }

    /// Takes what waits, at most a batch, in order.
    ///
    /// Blocks the writer's thread while there is nothing, and a moment while nobody waits for what
    /// is there; empty when the time is over or the queue has been closed and is empty.
    func takeBatch(waitingUntil deadline: DispatchTime) -> [Transition] {
        var isPatient = true
        while true {
            let (batch, admitted, rest) = take(isPatient)
            for admission in admitted { admission.resume() }
            guard let rest else { return batch }
            let end = rest == .empty ? deadline : min(deadline, .now() + Self.patience)
            if wakeUp.wait(timeout: end) == .timedOut {
                wakeUpLate()
                if rest == .empty { return [] }
            }
            isPatient = rest == .empty
        }
    }

    /// Whether the queue is closed and empty.
    var isOver: Bool {
        state.withLock { $0.end != nil && $0.waiting.isEmpty }
    }

    /// Rejects new transitions; those in the queue still run.
    func close(with end: StoreError) {
        let isAsleep = state.withLock { state in
            if state.end == nil { state.end = end }
            defer { state.rest = nil }
            return state.rest != nil
        }
        if isAsleep { wakeUp.signal() }
    }

    /// Rejects both queued and new transitions.
    func stop(with error: StoreError) {
        let waiting = state.withLock { state in
            state.end = error
            defer { state.waiting = [] }
            return state.waiting
        }
        for (transition, admission) in waiting {
            transition.fail(error)
            admission?.resume()
        }
    }

    private func insert(_ transition: Transition, admission: Admission?) {
        let (end, admitted, wakes): (StoreError?, Admission?, Bool) = state.withLock { state in
            if let end = state.end { return (end, admission, false) }
            let isWithin = state.waiting.count < Self.bound
            state.waiting.append((transition, isWithin ? nil : admission))
            let wakes =
                switch state.rest {
                case nil: false
                case .empty: true
                case .posted: !transition.isPosted || state.waiting.count >= Self.batchCount
                }
            if wakes { state.rest = nil }
            return (nil, isWithin ? admission : nil, wakes)
        }
        if let end { transition.fail(end) }
        admitted?.resume()
        if wakes { wakeUp.signal() }
    }

    /// Takes a batch, or says what the thread is to sleep for.
    private func take(
        _ isPatient: Bool
    ) -> (batch: [Transition], admitted: [Admission], rest: Rest?) {
        state.withLock { state in
            if state.end == nil {
                if state.waiting.isEmpty {
                    state.rest = .empty
                } else if isPatient, state.waiting.count < Self.batchCount,
                    state.waiting.allSatisfy(\.transition.isPosted)
                {
                    state.rest = .posted
                }
            }
            guard state.rest == nil else { return ([], [], state.rest) }
            let count = min(state.waiting.count, Self.batchCount)
            let batch = state.waiting.prefix(count).map(\.transition)
            let admitted = state.waiting.indices.dropFirst(Self.bound).prefix(count)
                .compactMap { state.waiting[$0].admission }
            for index in state.waiting.indices.dropFirst(Self.bound).prefix(count) {
                state.waiting[index].admission = nil
            }
            state.waiting.removeFirst(count)
            return (batch, admitted, nil)
        }
    }

    /// Consumes a wake-up that arrived at the same moment as the deadline.
    private func wakeUpLate() {
        let wasAsleep = state.withLock { state in
            defer { state.rest = nil }
            return state.rest != nil
        }
        if !wasAsleep { wakeUp.wait() }
    }
}

/// Limits what a power failure can lose to the commits of one second.
///
/// Commits go to the write-ahead log, which the system writes to disk at its own discretion. A sync
/// is therefore forced one second after the first commit that may not have been written.
struct LogSync {
    private let path: FilePath
    private let isEnabled: Bool
    private let interval: DispatchTimeInterval
    private var file: OwnedDescriptor?

    /// When the next sync is due.
    private(set) var deadline = DispatchTime.distantFuture

    /// Syncs the write-ahead log of a database; does nothing with full durability.
    init(
        database path: String, durability: Durability,
        interval: DispatchTimeInterval = .seconds(1)
    ) {
        self.path = FilePath(path + "-wal")
        isEnabled = durability == .process
        self.interval = interval
    }

    /// Schedules a sync after a commit.
    mutating func noteCommit() {
        guard isEnabled, deadline == .distantFuture else { return }
        deadline = .now() + interval
    }

    /// Syncs to disk if a sync is due.
    mutating func syncIfDue() throws {
        guard deadline <= .now() else { return }
        deadline = .distantFuture
        guard try fdatasync(openedLog().number) == 0 else { throw Errno(rawValue: errno) }
    }

    private mutating func openedLog() throws -> OwnedDescriptor {
        if let file { return file }
        let opened = OwnedDescriptor(
            try FileDescriptor.open(path, .readOnly, options: .closeOnExec))
        file = opened
        return opened
    }
}
