import Glibc
import Synchronization

/// A mail server on 127.0.0.1 for tests, with real sockets, scripted replies, and a record of all
/// mails.
///
/// It serves one connection after the other and without TLS.
public final class LoopbackMailServer: Sendable {
    /// What the server does after a command.
    public enum Answer: Sendable {
        /// Sends a reply; lines end with CRLF, except the last one.
        case reply(String)
        /// Says nothing until the client disconnects.
        case hang
        /// Closes the connection.
        case close
    }

    /// Chooses the answer to a command, or `nil` for the usual one. The connection itself is the
    /// command `CONNECT`, and the end of a message the command `.`.
    public typealias Script = @Sendable (_ command: String) -> Answer?

    /// A mail that the server has accepted.
    public struct Mail: Sendable, Hashable {
        /// The address of the sender, without angle brackets.
        public var sender: String
        /// The addresses of the recipients.
        public var recipients: [String]
        /// The message, its lines without the added dots.
        public var message: [UInt8]

        /// Creates a mail.
        public init(sender: String = "", recipients: [String] = [], message: [UInt8] = []) {
            self.sender = sender
            self.recipients = recipients
            self.message = message
        }

        /// The message as text.
        public var text: String { String(decoding: message, as: UTF8.self) }
    }

    private struct State {
        var mails: [Mail] = []
        var commands: [String] = []
        var hasEnded = false
    }

    /// The port, chosen by the system.
    public let port: Int
    private let listener: Descriptor
    private let stopSignal: SignalPipe
    private let extensions: [String]
    private let script: Script
    private let state = Mutex(State())
    private let waiters = Waiters()

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - extensions: What the reply to EHLO offers, such as `AUTH PLAIN`.
    ///   - script: Chooses the answer to a command.
    /// - Throws: `ServerFault` if the system has no socket or thread left.
    public init(
        extensions: [String] = ["SIZE 10000000"], script: @escaping Script = { _ in nil }
    ) throws {
        self.extensions = extensions
        self.script = script
        listener = try Descriptor.listening()
        stopSignal = try SignalPipe()
        port = listener.port
        try ServerThread.start { [self] in
            while listener.waitUntilReadable(or: stopSignal.reader) {
                if let socket = listener.accept() { serve(MailConnection(socket, stopSignal)) }
            }
            shutdown(listener.number, Int32(SHUT_RDWR))
            state.withLock { $0.hasEnded = true }
            waiters.check()
        }
    }

    /// The mails accepted so far.
    public var mails: [Mail] { state.withLock { $0.mails } }

    /// The commands received so far, on all connections.
    public var commands: [String] { state.withLock { $0.commands } }

    /// Waits for a number of commands; fewer if the server stops or the task is cancelled.
    public func waitForCommands(_ count: Int) async {
        await waiters.wait { self.state.withLock { $0.commands.count >= count || $0.hasEnded } }
    }

    /// Stops the server and closes its connection; returns when its thread has ended.
    public func stop() async {
        stopSignal.signal()
        await waiters.wait { self.state.withLock(\.hasEnded) }
    }

    private func serve(_ connection: MailConnection) {
        var mail = Mail()
        guard obey("CONNECT", "220 mail.example.org ESMTP", connection) != nil else { return }
        while let command = connection.line() {
            var usual = "250 OK"
            switch command.prefix(4).uppercased() {
            case "EHLO":
                let lines = ["mail.example.org"] + extensions
                usual = lines.enumerated().map { index, line in
                    "250\(index < lines.count - 1 ? "-" : " ")\(line)"
                }.joined(separator: "\r\n")
            case "AUTH": usual = command.split(separator: " ").count > 2 ? Self.welcome : "334 "
            case "DATA": usual = "354 Go ahead"
            case "QUIT": usual = "221 Bye"
            default: break
            }
            guard let code = obey(command, usual, connection) else { return }
            switch command.prefix(4).uppercased() {
            case "MAIL" where code == 250: mail = Mail(sender: Self.address(in: command))
            case "RCPT" where code == 250: mail.recipients.append(Self.address(in: command))
            case "AUTH" where code == 334:
                guard let proof = connection.line(), obey(proof, Self.welcome, connection) != nil
                else { return }
            case "DATA" where code == 354:
                guard let message = connection.message() else { return }
                mail.message = message
                guard let end = obey(".", "250 Accepted", connection) else { return }
                if end == 250 { state.withLock { [mail] in $0.mails.append(mail) } }
            case "QUIT": return
            default: break
            }
        }
    }

    private static let welcome = "235 Authentication succeeded"

    /// Answers a command; returns the code of the reply, or `nil` if the connection ends.
    private func obey(_ command: String, _ usual: String, _ connection: MailConnection) -> Int? {
        if command != "CONNECT" { state.withLock { $0.commands.append(command) } }
        waiters.check()
        switch script(command) ?? .reply(usual) {
        case .reply(let text):
            return connection.send("\(text)\r\n") ? Int(text.prefix(3)) ?? 0 : nil
        case .hang:
            while connection.line() != nil {}
            return nil
        case .close: return nil
        }
    }

    private static func address(in command: String) -> String {
        guard let open = command.firstIndex(of: "<"), let close = command.firstIndex(of: ">")
        else { return "" }
        return String(command[command.index(after: open)..<close])
    }
}

/// Runs a closure with a mail server that is always stopped afterwards.
public func withLoopbackMailServer<Value>(
    extensions: [String] = ["SIZE 10000000"],
    script: @escaping LoopbackMailServer.Script = { _ in nil },
    _ body: (LoopbackMailServer) async throws -> Value
) async throws -> Value {
    let server = try LoopbackMailServer(extensions: extensions, script: script)
    do {
        let value = try await body(server)
        await server.stop()
        return value
    } catch {
        await server.stop()
        throw error
    }
}

/// A connection of a `LoopbackMailServer`, used only on its thread.
private final class MailConnection {
    private let socket: Descriptor
    private let stopSignal: SignalPipe
    private var waiting: [UInt8] = []
    /// Where the next line begins.
    private var begin = 0

    init(_ socket: Descriptor, _ stopSignal: SignalPipe) {
        self.socket = socket
        self.stopSignal = stopSignal
    }

    /// The next line without CRLF, or `nil` at the end.
    func line() -> String? {
        bytes().map { String(decoding: $0, as: UTF8.self) }
    }

    /// A message up to its final dot, or `nil` if the connection ends before.
    func message() -> [UInt8]? {
        var message: [UInt8] = []
        while let line = bytes() {
            if line == [UInt8(ascii: ".")] { return message }
            message += (line.first == UInt8(ascii: ".") ? line.dropFirst() : line[...]) + [13, 10]
        }
        return nil
    }

    private func bytes() -> [UInt8]? {
        var searched = begin
        while true {
            if let end = waiting[searched...].firstIndex(of: 10) {
                let line = waiting[begin..<end]
                begin = end + 1
                return Array(line.last == 13 ? line.dropLast() : line)
            }
            waiting.removeFirst(begin)
            begin = 0
            searched = waiting.count
            guard socket.waitUntilReadable(or: stopSignal.reader) else { return nil }
            var room = [UInt8](repeating: 0, count: 64 << 10)
            let count = unsafe recv(socket.number, &room, room.count, 0)
            guard count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR)) else {
                return nil
            }
            if count > 0 { waiting += room[..<count] }
        }
    }

    func send(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.send(
                    socket.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                guard socket.waitUntilWritable(or: stopSignal.reader) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
