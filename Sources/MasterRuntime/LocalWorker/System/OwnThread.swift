internal import CDispatch
import Glibc
import MasterKit
import Synchronization

/// Threads for blocking work, so that it never blocks the few threads of the cooperative pool.
enum OwnThread {
    private static let stackByteCount = 512 * 1024

    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Runs a function on a new thread and waits for it without blocking the caller's.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try start { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Runs a function that checks from time to time whether the calling task has been cancelled.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable (StopFlag) throws -> Value
    ) async throws -> Value {
        let stop = StopFlag()
        return try await withTaskCancellationHandler {
            try await run { try body(stop) }
        } onCancel: {
            stop.set()
        }
    }

    /// Runs a function on a new thread, without waiting for it.
    static func start(_ body: @escaping @Sendable () -> Void) throws(CommandError) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
        let work = unsafe Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread,
            &attributes,
            { pointer in
                OwnThread.blockSignals()
                if let pointer = unsafe pointer {
                    unsafe Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body()
                }
                return nil
            },
            work.toOpaque()
        )
        guard status == 0 else {
            unsafe work.release()
            throw CommandError(
                .noResources,
                "no thread can be started for a command (\(SystemFault(status))); "
                    + "run fewer commands at once, or raise the limit on processes"
            )
        }
    }

    /// Prevents this thread from handling the process's signals, including SIGPIPE.
    private static func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
    }
}

/// Tells work on another thread that its result is no longer wanted.
final class StopFlag: Sendable {
    private let isSet = Atomic(false)

    /// Asks the work to stop.
    func set() {
        isSet.store(true, ordering: .releasing)
    }

    /// Whether the work should stop.
    var isStopped: Bool { isSet.load(ordering: .acquiring) }

    /// Throws `CancellationError` if the work should stop.
    func check() throws {
        if isStopped { throw CancellationError() }
    }
}

/// Wakes a thread that is blocked in `poll`.
final class WakePipe: Sendable {
    private let readEnd: OwnedDescriptor
    private let writeEnd: OwnedDescriptor

    init() throws(CommandError) {
        let ends = try OwnedDescriptor.pipe()
        readEnd = ends.readEnd
        writeEnd = ends.writeEnd
        _ = fcntl(writeEnd.number, F_SETFL, O_NONBLOCK)
    }

    /// The descriptor that becomes readable when the thread is woken.
    var descriptor: CInt { readEnd.number }

    /// Wakes the thread, now or when it next waits.
    ///
    /// If the pipe is full, the write may fail: the bytes already in it wake the thread.
    func wake() {
        _ = unsafe [UInt8(0)].withUnsafeBytes { bytes in
            unsafe Glibc.write(writeEnd.number, bytes.baseAddress, 1)
        }
    }

    /// Clears past wake-ups.
    func clear() {
        _ = unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { bytes in
            unsafe Glibc.read(descriptor, bytes.baseAddress, bytes.count)
        }
    }
}
