import Synchronization

/// A bounded pipe from the curl thread to the task that receives a body.
///
/// Buffers up to `capacity` bytes plus one piece from libcurl (16 KiB). When it is full, the
/// transfer is paused until the receiver has taken the buffered bytes.
final class BodyStream: Sendable {
    static let capacity = 128 << 10

    private struct State {
        var bytes: [UInt8] = []
        var isPaused = false
        var isFinished = false
        var receiver: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Appends a piece; returns `false` if the pipe is full and the transfer must pause.
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

    func finish() {
        let receiver = state.withLock { state in
            state.isFinished = true
            return state.receiver.take()
        }
        receiver?.resume()
    }

    /// Waits until there are bytes or the stream has ended.
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

    /// Takes all buffered bytes; `mustResume` is set if the transfer was paused.
    func take() -> (bytes: [UInt8], mustResume: Bool) {
        state.withLock { state in
            let taken = (state.bytes, state.isPaused)
            state.bytes = []
            state.isPaused = false
            return taken
        }
    }
}
