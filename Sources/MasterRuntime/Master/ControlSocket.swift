internal import Glibc
internal import MasterKit
internal import ServiceLifecycle
internal import SystemPackage

/// The socket `control` in a master's base folder, through which commands of the same user reach
/// the running master.
///
/// A request is one message, as is the answer `ok`. Both the folder and the socket are private.
final class ControlSocket: Service {
    /// A request to the master.
    enum Request: String, Sendable, CaseIterable {
        /// Another process has changed delivery rows.
        case deliveriesChanged = "deliveries changed"
    }

    static let fileName = "control"
    private static let answer = "ok"
    /// The timeout for the other side to send or read a message.
    private static let patience: Duration = .seconds(1)

    private let path: FilePath
    private let listener: OwnedDescriptor
    private let stop: WakePipe
    private let handle: @Sendable (Request) -> Void
    private let fail: @Sendable (ControlFault) -> Void

    /// Starts listening, replacing the socket of a master that has exited.
    ///
    /// - Parameters:
    ///   - folder: The base folder, which no other master uses.
    ///   - fail: Called with the reason if requests cannot be accepted.
    ///   - handle: Handles a request, on a dedicated thread.
    /// - Throws: ``ControlFault``.
    init(
        folder: String, fail: @escaping @Sendable (ControlFault) -> Void = { _ in },
        handle: @escaping @Sendable (Request) -> Void
    ) throws(ControlFault) {
        self.handle = handle
        self.fail = fail
        path = FilePath(folder).appending(Self.fileName)
        do {
            stop = try WakePipe()
            if POSIX.exists(path) { try POSIX.removeFile(path) }
            listener = try UnixSocket.listen(in: FilePath(folder), name: Self.fileName)
        } catch {
            throw ControlFault(path: path, cause: error)
        }
    }

    /// Serves requests until the master shuts down.
    func run() async {
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                do {
                    try await OwnThread.run { self.serve() }
                } catch {
                    fail(ControlFault(path: path, cause: error))
                    await waitForShutdown()
                }
            } onGracefulShutdown: {
                self.stop.wake()
            }
        } onCancel: {
            stop.wake()
        }
    }

    /// Without a thread no requests are served, but the master keeps working.
    private func waitForShutdown() async {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled, which also ends the service.
        }
    }

    private func serve() {
        while UnixSocket.wait(for: listener, or: stop.descriptor) {
            guard let connection = UnixSocket.accept(listener, patience: Self.patience) else {
                // Without a free descriptor, the pending connection would be reported again
                // immediately.
                usleep(100_000)
                continue
            }
            guard let request = UnixSocket.receive(connection).flatMap(Request.init) else {
                continue
            }
            handle(request)
            _ = UnixSocket.send(Self.answer, connection)
        }
        // If this fails, the next master removes the socket.
        _ = Result { () throws(SystemFault) in try POSIX.removeFile(path) }
    }

    /// Sends a request to the master that uses a folder.
    ///
    /// - Returns: Whether a master was running and has handled it.
    static func send(_ request: Request, to folder: String) -> Bool {
        guard
            let connection = UnixSocket.connect(
                in: FilePath(folder), name: fileName, patience: patience),
            UnixSocket.send(request.rawValue, connection)
        else { return false }
        return UnixSocket.receive(connection) == answer
    }
}

/// A failure to open the control socket.
struct ControlFault: Error, CustomStringConvertible {
    let path: FilePath
    let cause: any Error

    var description: String {
        "the control socket \(path) cannot be opened (\(cause)); commands reach this master only "
            + "after some seconds"
    }
}
