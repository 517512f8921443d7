internal import Glibc
package import MasterKit
internal import ServiceLifecycle
internal import Synchronization
internal import SystemPackage

/// A request that another process of the same user sends to a running master: one JSON object with
/// `version`, `command`, and what the command needs.
package struct ControlRequest: Sendable, Hashable {
    /// The version of the protocol.
    package static let version = 1
    /// The command of a process that has changed delivery rows.
    static let deliveriesChanged = ControlRequest("deliveries changed")

    /// The name of the command.
    package let command: String
    /// What the command needs.
    package let arguments: JSONObject

    package init(_ command: String, _ arguments: JSONObject = [:]) {
        self.command = command
        self.arguments = arguments
    }

    /// Reads a request.
    init(parsing text: String) throws(ControlError) {
        let value: JSONValue
        do throws(JSONParserError) {
            value = try JSONValue(parsing: text)
        } catch {
            throw ControlError("a request must be a JSON object: \(error)")
        }
        guard value["version"]?.intValue == Self.version else {
            throw ControlError(
                "this master takes requests of version \(Self.version); use the same version of "
                    + "the program for both")
        }
        guard let command = value["command"]?.stringValue else {
            throw ControlError("a request needs a 'command'")
        }
        var arguments = value.objectValue ?? [:]
        for name in ["version", "command"] { arguments.removeValue(forKey: name) }
        self.init(command, arguments)
    }

    var text: String {
        let head: JSONObject = ["version": .int(Self.version), "command": .string(command)]
        return JSONWriter.compact.string(.object(arguments.merging(head)))
    }
}

/// Why a request to a master was not carried out, in a sentence.
package struct ControlError: Error, CustomStringConvertible {
    package let description: String
    /// Whether the arguments of the command are wrong.
    package let isUsage: Bool

    package init(_ description: String, isUsage: Bool = false) {
        self.description = description
        self.isUsage = isUsage
    }

    /// The answer that tells the error.
    package var answer: JSONObject {
        ["error": .string(description), "usage": .bool(isUsage)]
    }
}

/// The socket `control` in a master's base folder, through which commands of the same user reach
/// the running master.
///
/// A client sends one request and receives answers until the master closes the connection. Each
/// connection has a thread of its own and limits on size and time, so that a client that is slow,
/// silent or sends anything else holds up nobody. Both the folder and the socket are private.
final class ControlSocket: Service {
    /// Carries out a request; it is cancelled if the client hangs up.
    typealias Handler = @Sendable (ControlRequest, ControlConnection) async -> Void

    private static let component: FilePath.Component = "control"
    static var fileName: String { component.string }
    /// How many clients are served at once.
    static let clientLimit = 80
    /// How many of them may wait for a build: 'status' and 'stop' must not have to.
    static let waiterLimit = 64
    /// The timeout for the other side to send or read a message.
    private static let patience: Duration = .seconds(1)

    private let path: FilePath
    /// The folder itself, wherever it is moved: another one may come in its place.
    private let folder: OwnedDescriptor
    private let listener: OwnedDescriptor
    private let stop: WakePipe
    private let clientCount = Atomic(0)
    private let waiterCount = Atomic(0)
    private let handle: Handler
    private let fail: @Sendable (ControlFault) -> Void

    /// Starts listening, replacing the socket of a master that has exited.
    ///
    /// - Parameters:
    ///   - folder: The base folder, which no other master uses.
    ///   - fail: Called with the reason if requests cannot be accepted.
    ///   - handle: Carries out a request.
    /// - Throws: ``ControlFault``.
    init(
        folder: String, fail: @escaping @Sendable (ControlFault) -> Void = { _ in },
        handle: @escaping Handler
    ) throws(ControlFault) {
        self.handle = handle
        self.fail = fail
        path = FilePath(folder).appending(Self.fileName)
        do {
            stop = try WakePipe()
            self.folder = try POSIX.open(FilePath(folder), O_RDONLY | O_DIRECTORY)
            if POSIX.exists(path) { try POSIX.removeFile(path) }
            listener = try UnixSocket.listen(in: self.folder, name: Self.fileName)
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
            guard let socket = UnixSocket.accept(listener, patience: Self.patience) else {
                // Without a free descriptor, the pending connection would be reported again
                // immediately.
                usleep(100_000)
                continue
            }
            let connection = ControlConnection(socket)
            guard clientCount.load(ordering: .relaxed) < Self.clientLimit else {
                UnixSocket.refuseMessages(connection.socket)
                _ = connection.write(Self.refusal.answer)
                continue
            }
            clientCount.add(1, ordering: .relaxed)
            do {
                try OwnThread.start {
                    self.serve(connection)
                    self.clientCount.subtract(1, ordering: .relaxed)
                }
            } catch {
                clientCount.subtract(1, ordering: .relaxed)
                _ = connection.write(ControlError("\(error)").answer)
            }
        }
        close()
    }

    private static let refusal = ControlError("the master is busy with other commands; try again")

    /// Removes the socket. Only ``run()`` calls it, or who does not run it.
    func close() {
        // If this fails, the next master removes the socket.
        _ = Result { () throws(SystemFault) in
            try POSIX.remove(Self.component, in: folder.number)
        }
    }

    /// Carries out the request of a client, on its own thread.
    private func serve(_ connection: ControlConnection) {
        do {
            guard let text = try UnixSocket.receive(connection.socket) else { return }
            let request = try ControlRequest(parsing: text)
            let isWaiter = request.arguments["wait"] == .bool(true)
            if isWaiter { waiterCount.add(1, ordering: .relaxed) }
            defer { if isWaiter { waiterCount.subtract(1, ordering: .relaxed) } }
            guard waiterCount.load(ordering: .relaxed) <= Self.waiterLimit || !isWaiter else {
                throw Self.refusal
            }
            let isDone = try WakePipe()
            // Ends by itself, or is cancelled as soon as the client hangs up.
            let task = Task {
                await handle(request, connection)
                isDone.wake()
            }
            if UnixSocket.wait(for: connection.socket, or: isDone.descriptor) { task.cancel() }
        } catch {
            _ = connection.write(ControlError("\(error)").answer)
        }
    }

    // MARK: Client

    /// Whether a running master listens in a folder. Blocks the thread.
    static func isServed(in folder: String) -> Bool {
        UnixSocket.connect(in: FilePath(folder), name: fileName, patience: patience) != nil
    }

    /// What became of a request.
    enum Reception {
        case nobodyListens
        /// The master did not answer in time.
        case noAnswer
        case received
    }

    /// Sends a request to the master that uses a folder, and waits for the end of its answers.
    ///
    /// Blocks the thread.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - folder: The base folder.
    ///   - patience: How long the master may take for the first answer; `nil` for any time.
    ///   - read: Called with each answer.
    /// - Returns: What became of the request.
    @discardableResult
    static func send(
        _ request: ControlRequest, to folder: String, patience: Duration? = patience,
        read: (JSONObject) -> Void = { _ in }
    ) -> Reception {
        let start = ContinuousClock.now
        guard
            let socket = UnixSocket.connect(
                in: FilePath(folder), name: fileName, patience: patience)
        else { return .nobodyListens }
        let connection = ControlConnection(socket)
        let isSent = UnixSocket.send(Array(request.text.utf8), socket)
        // A master that refuses has hung up already, but has said why.
        guard let first = connection.read() else {
            if let patience, .now - start >= patience { return .noAnswer }
            return isSent ? .received : .nobodyListens
        }
        read(first)
        UnixSocket.limit(socket, to: .zero)
        while let answer = connection.read() { read(answer) }
        return .received
    }
}

/// The connection of a client to a master, which sends JSON objects.
package final class ControlConnection: Sendable {
    /// The size of the packets that an object is divided into.
    private static let packetSize = 32 << 10
    /// The maximum size of an object.
    private static let sizeLimit = 16 << 20
    /// The first byte of a packet: whether another one follows.
    private static let (more, last) = (UInt8(ascii: "+"), UInt8(ascii: "."))

    let socket: OwnedDescriptor

    init(_ socket: OwnedDescriptor) {
        self.socket = socket
    }

    /// Sends an object; a client that does not read it in time gets no more.
    ///
    /// - Returns: Whether the client has it.
    @discardableResult
    package func send(_ answer: JSONObject) async -> Bool {
        do {
            return try await OwnThread.run { self.write(answer) }
        } catch {
            return false  // Without a thread; the client sees the connection end.
        }
    }

    /// Sends an object. Blocks the thread.
    func write(_ answer: JSONObject) -> Bool {
        let answer = answer.merging(["version": .int(ControlRequest.version)])
        var rest = Array(JSONWriter.compact.string(.object(answer)).utf8)[...]
        repeat {
            let part = rest.prefix(Self.packetSize)
            rest = rest.dropFirst(part.count)
            guard UnixSocket.send([rest.isEmpty ? Self.last : Self.more] + part, socket) else {
                return false
            }
        } while !rest.isEmpty
        return true
    }

    /// Receives an object; `nil` at the end. Blocks the thread.
    fileprivate func read() -> JSONObject? {
        var bytes: [UInt8] = []
        while bytes.count <= Self.sizeLimit,
            let packet = UnixSocket.receiveBytes(socket, maxByteCount: Self.packetSize + 1)
        {
            bytes += packet.dropFirst()
            guard packet.first == Self.last else { continue }
            do throws(JSONParserError) {
                return try JSONValue(parsing: bytes).objectValue
            } catch {
                return nil  // Not a master.
            }
        }
        return nil
    }
}

/// A failure to open the control socket.
struct ControlFault: Error, CustomStringConvertible {
    let path: FilePath
    let cause: any Error

    var description: String {
        "the control socket \(path) cannot be opened (\(cause)); commands such as 'status' do not "
            + "reach this master"
    }
}
