import MasterKit

/// Decides when the processes of a command are terminated, and when the command is finished.
///
/// It only deals with time, not with processes: its owner reports events and carries out the
/// actions. Time during which the master is too slow to read output does not count as silence.
struct TerminationPolicy {
    typealias Instant = ContinuousClock.Instant

    /// The action to take.
    enum Action: Equatable {
        /// Ask again at this time, or as soon as something happens.
        case wait(until: Instant?)
        /// Send SIGTERM.
        case terminate
        /// Send them the signal that the command wants to be ended with.
        case interrupt
        /// Send SIGKILL.
        case kill
        /// The command is finished.
        case finish
        /// Some process cannot be killed.
        case giveUp
    }

    /// The state at the time of asking.
    struct Facts {
        /// The program itself has exited; processes it started may still be running.
        var hasExited: Bool
        /// Some process can still write output.
        var isOpen: Bool
        /// The caller wants to stop the command.
        var isStopped: Bool
    }

    private enum Phase {
        case running
        case draining(until: Instant, latest: Instant)
        /// Processes that have closed their output are left, and may be about to end.
        case leaving(until: Instant)
        case ending(killAt: Instant)
        case killing(giveUpAt: Instant)
    }

    /// How long processes may take to exit after SIGKILL.
    static let killTime: Duration = .seconds(5)
    /// How long processes that the program left running may take to end by themselves, as helpers
    /// of git do.
    static let leavingTime: Duration = .milliseconds(500)
    /// The maximum drain time while the master is slow to read, as a multiple of the normal one.
    private static let longestDrain = 10
    private static let longestInterval: Duration = .milliseconds(64)

    private let timeout: Duration?
    private let maxTime: Duration?
    private let terminationGrace: Duration
    private let drainTime: Duration
    private let maxLines: Int?
    private let started: Instant
    private var phase = Phase.running
    private var lastOutput: Instant
    private var pausedSince: Instant?
    private var interval: Duration = .milliseconds(1)
    private var isKillDue = false
    private var lineCount = 0
    /// Whether a signal of the command's own choice comes before KILL.
    private var interrupts: Bool

    /// The limit that was exceeded.
    private(set) var timedOut: CommandResult.Limit?

    init(_ limits: Command.Shell, started: Instant) {
        timeout = limits.timeout.map(Self.countable)
        maxTime = limits.maxTime.map(Self.countable)
        terminationGrace = Self.countable(limits.terminationGrace)
        drainTime = Self.countable(limits.drainTime)
        maxLines = limits.maxLines
        interrupts = limits.interruptSignal != .kill
        self.started = started
        lastOutput = started
    }

    /// Records that output was read.
    mutating func noteOutput(at now: Instant) {
        lastOutput = now
    }

    /// Takes note of lines of output.
    ///
    /// - Returns: How many of them are within the limit, with the first one beyond it.
    mutating func noteLines(_ count: Int) -> Int {
        guard let maxLines else { return count }
        defer { lineCount += count }
        return max(0, min(count - 1, maxLines - lineCount) + 1)
    }

    /// Whether there are more lines than the command may write.
    var hasTooManyLines: Bool { maxLines.map { lineCount > $0 } ?? false }

    /// Records whether output can be read; while it cannot, time does not count as silence.
    mutating func noteRoom(_ hasRoom: Bool, at now: Instant) {
        guard hasRoom else {
            pausedSince = pausedSince ?? now
            return
        }
        guard let since = pausedSince else { return }
        pausedSince = nil
        lastOutput += now - since
        if case .draining(let until, let latest) = phase {
            phase = .draining(until: min(until + (now - since), latest), latest: latest)
        }
    }

    /// Returns the next action.
    ///
    /// Whether other processes than the program are running is only checked once the program has
    /// exited.
    mutating func next(at now: Instant, _ facts: Facts, hasSurvivors: () -> Bool) -> Action {
        switch phase {
        case .running:
            return whileRunning(at: now, facts, hasSurvivors)
        case .draining(let until, let latest):
            if !facts.isOpen { return finish(at: now, hasSurvivors) }
            if facts.isStopped { return beginEnding(at: now) }
            let end = pausedSince == nil ? until : latest
            return now >= end ? beginEnding(at: now) : .wait(until: end)
        case .leaving(let until):
            if !hasSurvivors() { return .finish }
            return facts.isStopped || now >= until
                ? beginEnding(at: now) : check(at: now, orAt: until)
        case .ending(let killAt):
            if facts.hasExited, !hasSurvivors() { return .finish }
            return now >= killAt ? beginInterrupting(at: now) : check(at: now, orAt: killAt)
        case .killing(let giveUpAt):
            if facts.hasExited, !hasSurvivors() { return .finish }
            if now >= giveUpAt { return .giveUp }
            isKillDue.toggle()
            return isKillDue ? .kill : check(at: now, orAt: giveUpAt)
        }
    }

    private mutating func whileRunning(
        at now: Instant, _ facts: Facts, _ hasSurvivors: () -> Bool
    ) -> Action {
        if let maxLines, hasTooManyLines, timedOut == nil { timedOut = .lines(maxLines) }
        if facts.hasExited, !facts.isOpen { return finish(at: now, hasSurvivors) }
        if facts.isStopped || timedOut != nil { return beginEnding(at: now) }
        if facts.hasExited {
            let until = now + drainTime
            let latest = now + drainTime * Self.longestDrain
            phase = .draining(until: until, latest: latest)
            return .wait(until: until)
        }
        let end = maxTime.map { started + $0 }
        if let maxTime, let end, now >= end {
            timedOut = .total(maxTime)
            return beginEnding(at: now)
        }
        guard let timeout, pausedSince == nil else { return .wait(until: end) }
        let silenceEnd = lastOutput + timeout
        if now >= silenceEnd {
            timedOut = .silence(timeout)
            return beginEnding(at: now)
        }
        return .wait(until: end.map { min($0, silenceEnd) } ?? silenceEnd)
    }

    /// Finishes, unless the program has left processes behind.
    private mutating func finish(at now: Instant, _ hasSurvivors: () -> Bool) -> Action {
        guard hasSurvivors() else { return .finish }
        guard timedOut == nil else { return beginEnding(at: now) }
        let until = now + Self.leavingTime
        phase = .leaving(until: until)
        return check(at: now, orAt: until)
    }

    private mutating func beginEnding(at now: Instant) -> Action {
        interval = .milliseconds(1)
        guard terminationGrace > .zero else { return beginInterrupting(at: now) }
        phase = .ending(killAt: now + terminationGrace)
        return .terminate
    }

    private mutating func beginInterrupting(at now: Instant) -> Action {
        guard interrupts else { return beginKilling(at: now) }
        interrupts = false
        interval = .milliseconds(1)
        phase = .ending(killAt: now + Self.killTime)
        return .interrupt
    }

    private mutating func beginKilling(at now: Instant) -> Action {
        interval = .milliseconds(1)
        isKillDue = true
        phase = .killing(giveUpAt: now + Self.killTime)
        return .kill
    }

    /// Clamps a duration to between zero and a hundred years, so that it can be added to any other.
    private static func countable(_ time: Duration) -> Duration {
        min(max(time, .zero), .seconds(100 * 365 * 86_400))
    }

    /// Polls with increasing intervals, because there is no notification when the last process
    /// exits.
    private mutating func check(at now: Instant, orAt end: Instant) -> Action {
        defer { interval = min(interval * 2, Self.longestInterval) }
        return .wait(until: min(now + interval, end))
    }
}
