internal import Glibc
internal import MasterKit
internal import ServiceLifecycle
internal import SystemPackage

/// The socket `control` in a master's base folder, by which commands of the same user reach the
/// master while it runs.
///
/// A request is one message, and so is the answer `ok`. The folder is private, and so is the socket.
final class ControlSocket: Service {
    /// What a master can be told.
    enum Request: String, Sendable, CaseIterable {
        /// Somebody has changed rows of deliveries.
        case deliveriesChanged = "deliveries changed"
    }

    static let fileName = "control"
    private static let answer = "ok"
    /// How long the other side may take to send or to read a message.
    private static let patience: Duration = .seconds(1)

    private let path: FilePath
    private let listener: OwnedDescriptor
    private let stop: WakePipe
    private let handle: @Sendable (Request) -> Void
    private let fail: @Sendable (ControlFault) -> Void

    /// Listens from now on, in place of a master that has ended.
    ///
    /// - Parameters:
    ///   - folder: The base folder, which no other master uses.
    ///   - fail: Hears why no request can be taken.
    ///   - handle: Takes a request, on a thread of the socket's own.
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

    /// Takes requests until the master shuts down.
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

    /// Without a thread nothing is taken, and the master does its work all the same.
    private func waitForShutdown() async {
        do {
            try await gracefulShutdown()
        } catch {
            // Cancelled: it ends in the same way.
        }
    }

    private func serve() {
        while UnixSocket.wait(for: listener, or: stop.descriptor) {
            guard let connection = UnixSocket.accept(listener, patience: Self.patience) else {
                // Without a free descriptor whoever waits would be seen again at once.
                usleep(100_000)
                continue
            }
            guard let request = UnixSocket.receive(connection).flatMap(Request.init) else {
                continue
            }
            handle(request)
            _ = UnixSocket.send(Self.answer, connection)
        }
        // The next master removes what is left here.
        _ = Result { () throws(SystemFault) in try POSIX.removeFile(path) }
    }

    /// Sends a request to the master that uses a folder.
    ///
    /// - Returns: Whether a master was there and has taken it.
    static func send(_ request: Request, to folder: String) -> Bool {
        guard
            let connection = UnixSocket.connect(
                in: FilePath(folder), name: fileName, patience: patience),
            UnixSocket.send(request.rawValue, connection)
        else { return false }
        return UnixSocket.receive(connection) == answer
    }
}

/// Why a master cannot be reached by commands.
struct ControlFault: Error, CustomStringConvertible {
    let path: FilePath
    let cause: any Error

    var description: String {
        "the control socket \(path) cannot be opened (\(cause)); commands reach this master only "
            + "after some seconds"
    }
}
