/// The time as the loop's thread last read it: once a round, not once a byte.
final class LoopClock {
    /// The time of this round.
    private(set) var now = ContinuousClock.now

    /// Reads the time.
    func tick() {
        now = .now
    }
}
