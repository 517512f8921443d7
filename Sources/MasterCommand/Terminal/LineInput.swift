internal import Dispatch
internal import Glibc
internal import MasterRuntime
internal import Synchronization
internal import SystemPackage

/// Reads the lines that a user types, without blocking the threads of tasks.
///
/// It takes exactly one line for each call of ``next()``, and nothing once that has returned, so
/// that whoever reads the same terminal next, such as a shell, gets everything typed after it.
final class LineInput: Sendable {
    private struct State {
        /// Who waits for a line.
        var reader: CheckedContinuation<String?, Never>?
        /// What has been read of the line.
        var line: [UInt8] = []
    }

    private let descriptor: FileDescriptor
    private let queue = DispatchQueue(label: "input")
    private let state = Mutex(State())

    init(_ descriptor: FileDescriptor = .standardInput) {
        self.descriptor = descriptor
    }

    /// The next line without its line break; `nil` at the end of the input, or when the task is
    /// cancelled. Called by one task at a time.
    func next() async -> String? {
        let source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor.rawValue, queue: queue)
        source.setEventHandler { self.read() }
        let end = Latch<Void>()
        source.setCancelHandler { end.set() }
        let line = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { $0.reader = continuation }
                source.activate()
                if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
        // Another descriptor may get the number as soon as this one is closed, and a source that has
        // not ended would keep it from being watched.
        source.cancel()
        await end.wait()
        return line
    }

    private func cancel() {
        let reader = state.withLock { $0.reader.take() }
        reader?.resume(returning: nil)
    }

    /// Reads a byte. The input has one, so this does not block; it is read with the lock held, as
    /// none may be taken after ``next()`` has returned.
    private func read() {
        state.withLock { state in
            guard state.reader != nil else { return }
            var byte: UInt8 = 0
            let count = unsafe Glibc.read(descriptor.rawValue, &byte, 1)
            if count < 0, errno == EINTR || errno == EAGAIN { return }
            if count == 1, byte != UInt8(ascii: "\n") { return state.line.append(byte) }
            let line = count == 1 || !state.line.isEmpty ? state.line : nil
            state.line = []
            state.reader.take()?.resume(returning: line.map { String(decoding: $0, as: UTF8.self) })
        }
    }
}
