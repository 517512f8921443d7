import FoundationEssentials
public import ServiceLifecycle

/// Turns events into reports and sees to it that each of them arrives.
///
/// Every reporter has its own pace: a slow or failing receiver holds back nothing but the later
/// reports of the same build request. What is not delivered is kept for the next run.
public final class Outbox: Service {
    /// How long an event that may have brought the program down has to itself.
    static let solitude: Duration = .seconds(5)

    let environment: OutboxEnvironment
    let generations: [Generation]
    let sendings: [Sending]
    let housekeeping: Housekeeping
    /// The newest event that an earlier run left; all later ones are of this run.
    let lastOfEarlierRuns: Int
    /// When the outbox was opened.
    let openedAt: Date

    private let stopped = Signal()
    private let ended = Signal()

    init(
        environment: OutboxEnvironment,
        generations: [Generation],
        sendings: [Sending],
        lastOfEarlierRuns: Int,
        changeCount: Int,
        openedAt: Date
    ) {
        self.environment = environment
        self.generations = generations
        self.sendings = sendings
        self.lastOfEarlierRuns = lastOfEarlierRuns
        self.openedAt = openedAt
        housekeeping = Housekeeping(of: sendings, from: changeCount, in: environment)
    }

    /// Makes and sends reports until the master shuts down, ``stop()`` is called or the task is
    /// cancelled.
    public func run() async {
        await withGracefulShutdownHandler {
            await runUntilStopped()
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func runUntilStopped() async {
        await withDiscardingTaskGroup { group in
            for sending in sendings { group.addTask { await sending.run() } }
            group.addTask { await self.generate() }
            group.addTask { await self.housekeeping.run() }
            await stopped.wait()
            group.cancelAll()
        }
        ended.raise()
    }

    /// Ends ``run()``: what is on its way is broken off and stays open.
    public func stop() {
        stopped.raise()
    }

    /// Waits until ``run()`` has ended, but no longer than a second.
    func waitForEnd() async {
        let clock = environment.clock
        await ended.wait(until: clock.elapsed + .seconds(1), on: clock)
    }

    /// Makes reports; after a crash of each reporter first one, with nothing else beside it.
    private func generate() async {
        let clock = environment.clock
        let suspects = generations.filter { $0.crashWatch.newestEvent != nil }
        await withDiscardingTaskGroup { group in
            for generation in suspects {
                let done = Signal()
                group.addTask {
                    await generation.workAlone()
                    done.raise()
                }
                await done.wait(until: clock.elapsed + Self.solitude, on: clock)
            }
            for generation in generations { group.addTask { await generation.run() } }
        }
    }
}
