import Glibc

/// Tells the service manager that started the program, such as systemd, what a master is doing.
///
/// Without `NOTIFY_SOCKET` in the environment it does nothing.
package struct ServiceNotifier: Sendable {
    private let path: String?
    private let fail: @Sendable (String) -> Void

    /// Creates a notifier, and hides the socket from the commands of builds.
    ///
    /// - Parameters:
    ///   - environment: The environment of the program.
    ///   - fail: Called with a sentence if a message cannot be sent.
    package init(environment: [String: String], fail: @escaping @Sendable (String) -> Void) {
        path = environment["NOTIFY_SOCKET"]
        self.fail = fail
        unsafe unsetenv("NOTIFY_SOCKET")
    }

    /// The master runs builds.
    package func ready(_ status: String) {
        send("READY=1\nSTATUS=\(status)")
    }

    /// The master reads its file again; ``ready(_:)`` follows.
    package func reloading() {
        send("RELOADING=1\nMONOTONIC_USEC=\(MonotonicTime.microseconds)")
    }

    /// The master ends.
    package func stopping(_ status: String) {
        send("STOPPING=1\nSTATUS=\(status)")
    }

    private func send(_ message: String) {
        guard let path, !path.isEmpty else { return }
        do throws(SystemFault) {
            try UnixSocket.post(message, to: path)
        } catch {
            fail("NOTIFY_SOCKET \(path) cannot be reached: \(error)")
        }
    }
}
