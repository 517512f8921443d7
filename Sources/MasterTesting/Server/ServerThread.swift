import Glibc

/// A thread that runs one closure, so that a server never blocks a task.
enum ServerThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Starts the thread; it ends when the closure returns.
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        let code = create(Work(body))
        guard code == 0 else { throw ServerFault("pthread_create", code: code) }
    }

    private static func create(_ work: Work) -> Int32 {
        let context = unsafe Unmanaged.passRetained(work)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread,
            nil,
            { unsafe ServerThread.run($0) },
            context.toOpaque()
        )
        guard code == 0 else {
            unsafe context.release()
            return code
        }
        pthread_detach(thread)
        return 0
    }

    private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }
}
