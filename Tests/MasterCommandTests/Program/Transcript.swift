import Subprocess
import Synchronization

/// The output of a program so far, and the tasks that wait for more.
final class Transcript: Sendable {
    private struct State {
        var text = ""
        var isOver = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// The text so far.
    var text: String { state.withLock { $0.text } }

    /// Reads until the program closes its output.
    func read(_ output: SubprocessOutputSequence) async throws {
        let lines = output.strings(separatedBy: .unicodeScalarSequence("\n".unicodeScalars))
        for try await line in lines {
            wake { $0.text += line + "\n" }
        }
        wake { $0.isOver = true }
    }

    /// Waits until a text has been written or the output is closed.
    func wait(for text: String) async {
        while !self.text.contains(text), !state.withLock({ $0.isOver }) {
            await withCheckedContinuation { continuation in
                let isStale = state.withLock { state in
                    if state.isOver || state.text.contains(text) { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if isStale { continuation.resume() }
            }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
