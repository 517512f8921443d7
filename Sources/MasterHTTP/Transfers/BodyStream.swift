import Synchronization

/// A bounded pipe from the loop's thread to the one task that receives a body.
///
/// At most `capacity` bytes wait, plus one piece as libcurl hands it over (16 KiB). When it is
/// full the transfer is paused until the receiver has taken what waits.
final class BodyStream: Sendable {
    static let capacity = 128 << 10

    private struct State {
        var bytes: [UInt8] = []
        var isPaused = false
        var isFinished = false
        var receiver: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Takes a piece; false when it is full, and the transfer must pause.
    func push(_ piece: UnsafeRawBufferPointer) -> Bool {
        let (taken, receiver) = state.withLock {
            state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.bytes.count < Self.capacity else {
                state.isPaused = true
                return (false, nil)
            }
            unsafe state.bytes.append(contentsOf: piece)
            return (true, state.receiver.take())
        }
        receiver?.resume()
        return taken
    }

    /// Ends the stream.
    func finish() {
        let receiver = state.withLock { state in
            state.isFinished = true
            return state.receiver.take()
        }
        receiver?.resume()
    }

    /// Waits until there are bytes, or no more come.
    func waitForBytes() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                let isReady = state.isFinished || !state.bytes.isEmpty
                if !isReady { state.receiver = continuation }
                return isReady
            }
            if isReady { continuation.resume() }
        }
    }

    /// Takes all that waits, and whether the transfer was paused and must resume.
    func take() -> (bytes: [UInt8], mustResume: Bool) {
        state.withLock { state in
            let taken = (state.bytes, state.isPaused)
            state.bytes = []
            state.isPaused = false
            return taken
        }
    }
}
