import Testing

@testable import MasterCommand

struct InterruptionTests {
    private let start = ContinuousClock.now

    @Test(arguments: [StopSignal.terminate, .hangUp])
    func `a signal sent to the process and again to its group counts once`(_ signal: StopSignal) {
        let interruption = Interruption()
        #expect(interruption.note(signal, at: start) == .stop)
        #expect(interruption.note(signal, at: start + .milliseconds(900)) == nil)
        #expect(interruption.note(signal, at: start + .milliseconds(1100)) != nil)
    }

    @Test func `the second TERM ends the program, and every Ctrl-C counts`() {
        let interruption = Interruption()
        #expect(interruption.note(.terminate, at: start) == .stop)
        #expect(interruption.note(.terminate, at: start + .seconds(2)) == .end)
        let other = Interruption()
        #expect(other.note(.interrupt, at: start) == .stop)
        #expect(other.note(.interrupt, at: start + .milliseconds(1)) == .stopEverything)
        #expect(other.note(.interrupt, at: start + .milliseconds(2)) == .end)
    }

    @Test func `another signal within the time counts`() {
        let interruption = Interruption()
        #expect(interruption.note(.interrupt, at: start) == .stop)
        #expect(interruption.note(.terminate, at: start) == .stopEverything)
    }
}
