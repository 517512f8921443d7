import MasterTesting
import Testing

@testable import MasterRuntime

@Suite(.timeLimit(.minutes(1)))
struct SignalTests {
    @Test func `a signal that nobody waits for is kept once`() async {
        let signal = Signal()
        signal.raise()
        signal.raise()
        await signal.wait()
        let clock = ManualClock()
        async let waited: Void = signal.wait(until: .seconds(1), on: ElapsedClock(clock))
        await clock.waitForSleep(until: .seconds(1))
        clock.advance(by: .seconds(1))
        await waited
    }

    @Test func `all who wait are woken`() async {
        let signal = Signal()
        let clock = ManualClock()
        await withTaskGroup(of: Void.self) { group in
            for seconds in 1...3 {
                group.addTask {
                    await signal.wait(until: .seconds(seconds), on: ElapsedClock(clock))
                }
                await clock.waitForSleep(until: .seconds(seconds))
            }
            while !group.isEmpty {
                signal.raise()
                await group.next()
            }
        }
    }

    @Test func `a task that is cancelled waits no more`() async {
        let signal = Signal()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await signal.wait() }
            group.cancelAll()
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await signal.wait(until: nil, on: ElapsedClock(ManualClock())) }
            group.cancelAll()
        }
    }
}
