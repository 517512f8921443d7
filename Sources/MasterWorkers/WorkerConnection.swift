internal import Logging
internal import MasterKit
internal import MasterWebSocket
internal import NIOWebSocket
internal import OrderedCollections
internal import Synchronization

/// Why a connection to a worker has ended.
struct ConnectionEnd: Error, Hashable {
    /// The reason, without the name of the worker.
    let reason: String
    /// Whether the worker did something wrong, so that its builds would fail again.
    var isFault = false
    /// Whether the master ended it, as it stops or its configuration has changed.
    var isIntended = false
}

/// A connection to a stock worker: requests, their answers, and the messages of commands.
///
/// Both sides number their requests from 0. What is sent goes through one queue, so that functions
/// can send from tasks that are cancelled, and without waiting.
final class WorkerConnection: Sendable {
    /// The maximum size of what waits to be sent, before another message is added.
    static let sendBound = 64 << 20
    /// The number of messages that wait to be sent.
    static let sendCountBound = 100_000
    /// The maximum size of an answer.
    static let answerBound = 4 << 20

    /// What is to be sent next.
    private enum Outgoing: Sendable {
        case message([UInt8])
        case close(WebSocketFault)
    }

    private enum Waiting: Sendable {
        case answer(CheckedContinuation<MessagePack, any Error>)
        case start(RemoteCommand)
    }

    private struct State {
        var nextRequest = 0
        var nextCommand = 0
        var waiting: [Int: Waiting] = [:]
        var commands: [String: RemoteCommand] = [:]
        var unsent = (count: 0, bytes: 0)
        var end: ConnectionEnd?
        /// Whether a message waits for the consumer of its command.
        var isHeldUp = false
        /// When a message last waited for long.
        var heldUpUntil: ContinuousClock.Instant?
        /// Whoever waits for the end.
        var watchers: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWatcher = 0
    }

    let worker: String
    /// The address of the worker's machine.
    let address: String
    private let state = Mutex(State())
    private let outgoing: AsyncStream<Outgoing>
    private let queue: AsyncStream<Outgoing>.Continuation
    private let lastActivity: @Sendable () -> ContinuousClock.Instant

    init(
        worker: String, address: String,
        lastActivity: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.worker = worker
        self.address = address
        self.lastActivity = lastActivity
        (outgoing, queue) = AsyncStream.makeStream()
    }

    /// Why the connection has ended, or `nil` while it is open.
    var end: ConnectionEnd? { state.withLock(\.end) }

    // MARK: Sending

    /// Sends what is queued, until the connection ends.
    func write(to socket: WebSocketConnection) async throws {
        for await next in outgoing {
            switch next {
            case .message(let bytes):
                try await socket.send(bytes)
                state.withLock { state in
                    state.unsent.count -= 1
                    state.unsent.bytes -= bytes.count
                }
            case .close(let fault):
                try await socket.close(fault.code, fault.reason)
                // The time the worker has to answer; ends by itself.
                Task {
                    try await Task.sleep(for: .seconds(2))
                    socket.cut()
                }
                return
            }
        }
    }

    private func send(_ message: OrderedDictionary<String, MessagePack>) {
        let bytes = MessagePack.map(message).encoded
        let isFull = state.withLock { state in
            guard state.end == nil else { return false }
            let isFull =
                state.unsent.count >= Self.sendCountBound || state.unsent.bytes > Self.sendBound
            state.unsent.count += 1
            state.unsent.bytes += bytes.count
            return isFull
        }
        queue.yield(.message(bytes))
        if isFull {
            close(ConnectionEnd(reason: "it does not read what it is sent", isFault: true))
        }
    }

    private func answer(_ number: Int, _ result: MessagePack, isException: Bool = false) {
        var message: OrderedDictionary<String, MessagePack> = [
            "op": "response", "seq_number": .int(Int64(number)), "result": result,
        ]
        // Only the presence of the key counts.
        if isException { message["is_exception"] = true }
        send(message)
    }

    /// Sends a request and waits for its answer.
    ///
    /// - Throws: ``ConnectionEnd``, or ``Refusal`` if the worker answers with an error.
    @discardableResult
    func request(
        _ operation: String, _ values: OrderedDictionary<String, MessagePack> = [:]
    ) async throws -> MessagePack {
        try await withCheckedThrowingContinuation { continuation in
            let number = begin(.answer(continuation))
            guard let number else { return continuation.resume(throwing: end ?? Self.over) }
            send(Self.message(operation, number, values))
        }
    }

    private static let over = ConnectionEnd(reason: "its connection has ended")

    /// The number of a request that waits for an answer from now on; `nil` after the end.
    private func begin(_ waiting: Waiting) -> Int? {
        state.withLock { state in
            guard state.end == nil else { return nil }
            defer { state.nextRequest += 1 }
            state.waiting[state.nextRequest] = waiting
            return state.nextRequest
        }
    }

    private static func message(
        _ operation: String, _ number: Int, _ values: OrderedDictionary<String, MessagePack>
    ) -> OrderedDictionary<String, MessagePack> {
        var message = values
        message["op"] = .text(operation)
        message["seq_number"] = .int(Int64(number))
        return message
    }

    /// A request that the worker has answered with an error.
    struct Refusal: Error {
        let text: String
    }

    // MARK: Commands

    /// Starts a command, whose messages then arrive in order.
    func start(
        _ name: String, _ arguments: OrderedDictionary<String, MessagePack>
    ) throws(ConnectionEnd) -> RemoteCommand {
        let command = state.withLock { state in
            defer { state.nextCommand += 1 }
            let command = RemoteCommand(id: "\(state.nextCommand)")
            state.commands[command.id] = command
            return command
        }
        guard let number = begin(.start(command)) else {
            remove(command)
            throw end ?? Self.over
        }
        send(
            Self.message(
                "start_command", number,
                [
                    "command_id": .text(command.id), "command_name": .text(name),
                    "args": .map(arguments),
                ]))
        return command
    }

    /// Has the worker end a command, which then completes; if it has not within the limit, the
    /// connection ends.
    func interrupt(_ command: RemoteCommand, _ reason: String, within limit: Duration) {
        guard command.markInterrupted() else { return }
        let id = command.id
        // Ends by itself; what the worker answers does not matter.
        Task {
            try await request("interrupt_command", ["command_id": .text(id), "why": .text(reason)])
        }
        // Ends by itself.
        Task {
            try await Task.sleep(for: limit)
            guard state.withLock({ $0.commands[id] != nil }) else { return }
            close(ConnectionEnd(reason: "it did not end a command within \(limit)"))
        }
    }

    /// Ends the connection once the worker has said nothing about a command for too long.
    func watch(
        _ command: RemoteCommand, silence limit: Duration,
        unless stillRuns: () async throws -> Bool = { false }
    ) async throws {
        var silence: Duration = .zero
        while true {
            if silence >= limit {
                guard try await stillRuns() else { break }
                silence = .zero
            }
            try await Task.sleep(for: limit - silence)
            let (isHeldUp, heldUpUntil) = state.withLock { ($0.isHeldUp, $0.heldUpUntil) }
            guard !isHeldUp, let waiting = command.waitingSince else {
                silence = .zero
                continue
            }
            silence = .now - max(waiting, heldUpUntil ?? waiting)
        }
        close(
            Self.fault(
                "it said nothing about a command for \(limit.inSeconds)"))
    }

    private func remove(_ command: RemoteCommand) {
        state.withLock { $0.commands[command.id] = nil }
    }

    func answer(_ number: Int, with result: MessagePack = nil) { answer(number, result) }

    func refuse(_ number: Int, _ reason: String) {
        answer(number, .text(reason), isException: true)
    }

    // MARK: Receiving

    /// Handles a message; waits while its command cannot take more.
    ///
    /// - Throws: ``ConnectionEnd`` if the worker may not send it.
    func receive(_ bytes: [UInt8]) async throws(ConnectionEnd) {
        let message: MessagePack
        do throws(MessagePackError) {
            message = try MessagePack(decoding: bytes)
        } catch {
            throw Self.fault("it sent an invalid message: \(error)")
        }
        guard case .text(let operation)? = message["op"], let number = message["seq_number"]?.int
        else { throw Self.fault("it sent a message without 'op' and 'seq_number'") }
        if operation == "response" {
            guard bytes.count <= Self.answerBound else {
                throw Self.fault("it sent an answer of more than \(Self.answerBound >> 20) MiB")
            }
            return try take(message, answering: number)
        }
        guard case .text(let id)? = message["command_id"] else {
            throw Self.fault("it sent '\(operation.shortened)' without a command")
        }
        guard let command = state.withLock({ $0.commands[id] }) else {
            throw Self.fault(
                "it sent '\(operation.shortened)' for a command that is not running: "
                    + "\(id.shortened)")
        }
        let content = try CommandMessage(operation, number, message)
        // Transfers are answered when they have been handled.
        switch content {
        case .update: answer(number)
        case .complete:
            answer(number)
            remove(command)
        case .write, .closed, .read: break
        }
        let start = ContinuousClock.now
        state.withLock { $0.isHeldUp = true }
        await command.put(content, size: bytes.count)
        state.withLock { state in
            state.isHeldUp = false
            let now = ContinuousClock.now
            if now - start > .seconds(1) { state.heldUpUntil = now }
        }
    }

    private func take(_ message: MessagePack, answering number: Int) throws(ConnectionEnd) {
        guard let waiting = state.withLock({ $0.waiting.removeValue(forKey: number) }) else {
            throw Self.fault("it answered a request that it was not sent: \(number)")
        }
        let refusal = message["is_exception"].map { _ in
            message["result"]?.text ?? "an error without a text"
        }
        switch waiting {
        case .answer(let continuation):
            if let refusal {
                continuation.resume(throwing: Refusal(text: refusal))
            } else {
                continuation.resume(returning: message["result"] ?? nil)
            }
        case .start(let command):
            guard let refusal else { return }
            remove(command)
            command.fail(Refusal(text: refusal))
        }
    }

    static func fault(_ reason: String) -> ConnectionEnd {
        ConnectionEnd(reason: reason, isFault: true)
    }

    // MARK: Ending

    /// When the worker has last given a sign of life, be it a part of a message.
    ///
    /// While a message waits for the consumer of its command, none is read; that is not its fault.
    var lastHeard: ContinuousClock.Instant {
        state.withLock(\.isHeldUp) ? .now : lastActivity()
    }

    /// Waits for the end or for ``wake()``, at most for a time.
    func waitForEnd(for limit: Duration) async {
        let number = state.withLock { state in
            defer { state.nextWatcher += 1 }
            return state.nextWatcher
        }
        // Ends by itself.
        let timer = Task {
            try await Task.sleep(for: limit)
            state.withLock { $0.watchers.removeValue(forKey: number) }?.resume()
        }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.end == nil else { return true }
                state.watchers[number] = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
        timer.cancel()
    }

    /// Has those that wait for the end look at the connection.
    func wake() {
        let watchers = state.withLock { state in
            defer { state.watchers = [:] }
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.resume() }
    }

    /// Ends the connection: sends a close frame with the reason, and fails what waits.
    func close(_ reason: ConnectionEnd) {
        // Before the frame is sent: the worker may cut the connection at once.
        state.withLock { state in state.end = state.end ?? reason }
        queue.yield(
            .close(WebSocketFault(reason.isFault ? .protocolError : .normalClosure, reason.reason)))
        finish(reason)
    }

    /// Fails what waits, and sends nothing more; called also when the connection has been lost.
    func finish(_ reason: ConnectionEnd) {
        queue.finish()
        let (waiting, commands) = state.withLock { state -> ([Waiting], [RemoteCommand]) in
            state.end = state.end ?? reason
            defer {
                state.waiting = [:]
                state.commands = [:]
            }
            return (Array(state.waiting.values), Array(state.commands.values))
        }
        let end = end ?? reason
        wake()
        for case .answer(let continuation) in waiting { continuation.resume(throwing: end) }
        for command in commands { command.fail(end) }
    }
}

extension String {
    /// The text on one line, at most some 100 characters of it.
    ///
    /// Scalars are counted, as one character may consist of any number of them.
    var shortened: String {
        var text = ""
        for (index, scalar) in unicodeScalars.enumerated() {
            guard index < 100 else { return text + "..." }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                text += scalar.escaped(asASCII: true)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
