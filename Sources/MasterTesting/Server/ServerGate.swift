import Synchronization

/// Holds answers of a `LoopbackServer` back until a test lets them through.
///
/// A gate counts: `pass(2)` lets two through, those that wait or the next that come.
public final class ServerGate: Sendable {
    private let pipe: SignalPipe
    private let isOpen = Atomic(false)
    private let finished = Mutex((count: 0, waiters: [CheckedContinuation<Void, Never>]()))

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

    /// Waits until the server has carried out what one passage let through.
    public func done() async {
        await withCheckedContinuation { continuation in
            let isDone = finished.withLock { finished in
                guard finished.count > 0 else {
                    finished.waiters.append(continuation)
                    return false
                }
                finished.count -= 1
                return true
            }
            if isDone { continuation.resume() }
        }
    }

    /// Tells that what one passage let through is carried out.
    func markDone() {
        let waiter = finished.withLock { finished in
            if let waiter = finished.waiters.first {
                finished.waiters.removeFirst()
                return Optional(waiter)
            }
            finished.count += 1
            return nil
        }
        waiter?.resume()
    }

    /// Waits for a passage and takes it; false when the other descriptor became readable first.
    func wait(or stop: Descriptor) -> Bool {
        while pipe.reader.waitUntilReadable(or: stop) {
            if isOpen.load(ordering: .acquiring) || pipe.takeOne() { return true }
        }
        return false
    }
}
