import Synchronization

/// Holds answers of a `LoopbackServer` back until a test lets them through.
///
/// A gate counts: `pass(2)` lets two through, those that wait or the next that come.
public final class ServerGate: Sendable {
    private let pipe: SignalPipe
    private let isOpen = Atomic(false)

    /// Makes a closed gate.
    ///
    /// - Throws: `ServerFault` when the system has no descriptor left.
    public init() throws {
        pipe = try SignalPipe()
    }

    /// Lets so many through.
    public func pass(_ count: Int = 1) {
        for _ in 0..<count { pipe.signal() }
    }

    /// Lets everything through from now on.
    public func open() {
        isOpen.store(true, ordering: .releasing)
        pipe.signal()
    }

    /// Waits for a passage and takes it; false when the other descriptor became readable first.
    func wait(or stop: Descriptor) -> Bool {
        while pipe.reader.waitUntilReadable(or: stop) {
            if isOpen.load(ordering: .acquiring) || pipe.takeOne() { return true }
        }
        return false
    }
}
