internal import MasterRuntime
internal import Synchronization

/// The wait of a run's builds for workers to connect, which has a limit.
final class WorkerWait: Sendable {
    /// How often the master is asked who waits.
    private static let interval: Duration = .milliseconds(100)

    private let limit: Duration
    private let givenUp = Mutex(false)

    /// Creates a wait.
    ///
    /// - Parameter limit: How long a builder waits until one of its workers connects.
    init(limit: Duration) {
        self.limit = limit
    }

    /// Whether requests were cancelled because no worker had connected.
    var hasGivenUp: Bool { givenUp.withLock(\.self) }

    /// Cancels requests that no worker takes within the limit, until the task is cancelled.
    ///
    /// - Parameters:
    ///   - master: The master.
    ///   - console: Where to tell of it.
    ///   - showsWaits: Whether to also tell when a wait begins.
    func watch(_ master: Master, _ console: Console, showing showsWaits: Bool) async {
        var begins: [String: ContinuousClock.Instant] = [:]
        while !Task.isCancelled {
            let (absences, now) = (master.absences, ContinuousClock.now)
            begins = begins.filter { absences[$0.key] != nil }
            for (builder, reason) in absences.sorted(by: { $0.key < $1.key }) {
                let name = builder.makingControlsVisible()
                if begins[builder] == nil, showsWaits {
                    await console.complain([
                        "\(name) waits up to \(limit.forPeople) for a worker: \(reason)"
                    ])
                }
                let begin = begins[builder] ?? now
                begins[builder] = begin
                guard now - begin >= limit else { continue }
                givenUp.withLock { $0 = true }
                let paint = TextPainter(hasColour: console.error.hasColour)
                await console.complain([
                    "\(paint(.boldRed, "error:")) \(name) was not built, as no worker took it "
                        + "within \(limit.forPeople): \(reason); start one with 'buildbot-worker "
                        + "start', or set a longer --worker-timeout"
                ])
                await master.cancelRequests(of: builder, reason: "no worker: \(reason)")
                begins[builder] = nil
            }
            do {
                try await Task.sleep(for: Self.interval)
            } catch {
                return  // The builds have ended.
            }
        }
    }
}
