import MasterKit
import Testing

@testable import MasterRuntime

/// When processes are terminated, on a clock controlled by the test.
struct TerminationPolicyTests {
    private let start = ContinuousClock.now
    private static let running = TerminationPolicy.Facts(
        hasExited: false, isOpen: true, isStopped: false)
    private static let exited = TerminationPolicy.Facts(
        hasExited: true, isOpen: true, isStopped: false)
    private static let closed = TerminationPolicy.Facts(
        hasExited: true, isOpen: false, isStopped: false)

    private func policy(_ change: (inout Command.Shell) -> Void = { _ in }) -> TerminationPolicy {
        var shell = Command.Shell(["x"], in: "/")
        shell.timeout = .seconds(10)
        change(&shell)
        return TerminationPolicy(shell, started: start)
    }

    private func after(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func `an exit with closed streams is the end`() {
        var line = policy()
        #expect(line.next(at: start, Self.closed) { false } == .finish)
    }

    @Test func `processes that are left after the exit are ended`() {
        var line = policy()
        #expect(line.next(at: start, Self.closed) { true } == .wait(until: after(0.001)))
        #expect(line.next(at: after(0.5), Self.closed) { true } == .terminate)
        #expect(line.next(at: after(5.5), Self.closed) { true } == .kill)
        #expect(line.next(at: after(5.5), Self.closed) { false } == .finish)
        #expect(line.timedOut == nil)
    }

    @Test func `processes that end by themselves soon after the exit are waited for`() {
        var line = policy()
        #expect(line.next(at: start, Self.closed) { true } == .wait(until: after(0.001)))
        #expect(line.next(at: after(0.4), Self.closed) { false } == .finish)
    }

    @Test func `the nearer limit is waited for`() {
        var line = policy { $0.maxTime = .seconds(15) }
        #expect(line.next(at: start, Self.running) { true } == .wait(until: after(10)))
        line.noteOutput(at: after(8))
        #expect(line.next(at: after(8), Self.running) { true } == .wait(until: after(15)))
        #expect(line.next(at: after(15), Self.running) { true } == .terminate)
        #expect(line.timedOut == .total(.seconds(15)))
    }

    @Test func `without limits it waits for ever`() {
        var line = policy { $0.timeout = nil }
        #expect(line.next(at: after(1e9), Self.running) { true } == .wait(until: nil))
    }

    @Test func `time without room is no silence`() {
        var line = policy()
        line.noteRoom(false, at: after(5))
        #expect(line.next(at: after(100), Self.running) { true } == .wait(until: nil))
        line.noteRoom(true, at: after(100))
        #expect(line.next(at: after(100), Self.running) { true } == .wait(until: after(105)))
        #expect(line.next(at: after(105), Self.running) { true } == .terminate)
        #expect(line.timedOut == .silence(.seconds(10)))
    }

    @Test func `TERM, then KILL when the grace is over, then it gives up`() {
        var line = policy()
        let stopped = TerminationPolicy.Facts(hasExited: false, isOpen: true, isStopped: true)
        #expect(line.next(at: start, stopped) { true } == .terminate)
        #expect(line.timedOut == nil)
        #expect(line.next(at: after(4.9999), stopped) { true } != .kill)
        #expect(line.next(at: after(5), stopped) { true } == .kill)
        #expect(line.next(at: after(5), stopped) { true } != .kill, "it waits between two KILLs")
        #expect(line.next(at: after(6), stopped) { true } == .kill)
        #expect(line.next(at: after(10), stopped) { true } == .giveUp)
    }

    @Test func `a signal of the command's own comes before KILL, with or without TERM`() {
        let stopped = TerminationPolicy.Facts(hasExited: false, isOpen: true, isStopped: true)
        var line = policy { $0.interruptSignal = .interrupt }
        #expect(line.next(at: start, stopped) { true } == .terminate)
        #expect(line.next(at: after(5), stopped) { true } == .interrupt)
        #expect(line.next(at: after(9.9999), stopped) { true } != .kill)
        #expect(line.next(at: after(10), stopped) { true } == .kill)
        var hasty = policy {
            $0.interruptSignal = .interrupt
            $0.terminationGrace = .zero
        }
        #expect(hasty.next(at: start, stopped) { true } == .interrupt)
        #expect(hasty.next(at: after(5), stopped) { true } == .kill)
    }

    @Test func `more lines than are allowed end the program`() {
        var line = policy { $0.maxLines = 3 }
        #expect(line.noteLines(2) == 2)
        #expect(line.next(at: start, Self.running) { true } == .wait(until: after(10)))
        #expect(line.noteLines(5) == 2)
        #expect(line.next(at: start, Self.running) { true } == .terminate)
        #expect(line.timedOut == .lines(3))
        var endless = policy { $0.maxLines = .max }
        #expect([2, 0, 5].map { endless.noteLines($0) } == [2, 0, 5])
    }

    @Test func `nobody left alive is the end, streams open or not`() {
        var line = policy()
        #expect(line.next(at: after(10), Self.running) { true } == .terminate)
        #expect(line.next(at: after(10), Self.exited) { false } == .finish)
    }

    @Test func `open streams after the exit are read for a while`() {
        var line = policy()
        #expect(line.next(at: start, Self.exited) { true } == .wait(until: after(1)))
        line.noteRoom(false, at: start)
        line.noteRoom(true, at: after(2))
        #expect(line.next(at: after(2.5), Self.exited) { true } == .wait(until: after(3)))
        #expect(line.next(at: after(3), Self.exited) { true } == .terminate)
    }

    @Test func `our own slowness does not stretch that for ever`() {
        var line = policy()
        #expect(line.next(at: start, Self.exited) { true } == .wait(until: after(1)))
        line.noteRoom(false, at: start)
        #expect(line.next(at: after(9), Self.exited) { true } == .wait(until: after(10)))
        #expect(line.next(at: after(10), Self.exited) { true } == .terminate)
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(Int64.min), .zero])
    func `a limit of any size is survived`(_ limit: Duration) {
        var line = policy {
            $0.timeout = limit
            $0.maxTime = limit
            $0.terminationGrace = limit
            $0.drainTime = limit
        }
        var isWaiting = false
        if case .wait = line.next(at: start, Self.running, hasSurvivors: { true }) {
            isWaiting = true
        }
        #expect(isWaiting == (limit > .zero))
    }
}
