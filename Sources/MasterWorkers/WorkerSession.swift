internal import Logging
internal import MasterKit
internal import MasterRuntime
internal import MasterWebSocket
internal import NIOWebSocket
internal import OrderedCollections
internal import Synchronization

/// The connections of workers by name: each worker has at most one.
final class WorkerSessions: Sendable {
    /// The number of connections with the name of one worker, of which one is used: others wait
    /// until that one has proved that it is alive, or have been closed and are about to end.
    private static let limit = 4

    /// How long a second connection waits for the first one to prove that it is alive.
    let duplicateTime: Duration
    let refusals = RefusalLog()
    private let connections = Mutex<[String: WorkerConnection]>([:])
    private let counts = Mutex<[String: Int]>([:])

    init(duplicateTime: Duration) {
        self.duplicateTime = duplicateTime
    }

    var connectionCount: Int { counts.withLock { $0.values.reduce(0, +) } }

    /// Serves a connection with the name of a worker, unless it has too many.
    ///
    /// - Throws: ``WebSocketFault`` if it has.
    func serve(_ name: String, _ body: () async throws -> Void) async throws {
        let isFull = counts.withLock { counts in
            guard counts[name, default: 0] < Self.limit else { return true }
            counts[name, default: 0] += 1
            return false
        }
        guard !isFull else {
            throw WebSocketFault(.policyViolation, "this worker has too many connections")
        }
        defer {
            counts.withLock { counts in
                let rest = counts[name, default: 1] - 1
                counts[name] = rest > 0 ? rest : nil
            }
        }
        try await body()
    }

    /// Makes a connection the one of its worker.
    ///
    /// - Returns: The connection that the worker has instead.
    func claim(_ connection: WorkerConnection) -> WorkerConnection? {
        connections.withLock { connections in
            if let other = connections[connection.worker], other.end == nil { return other }
            connections[connection.worker] = connection
            return nil
        }
    }

    func release(_ connection: WorkerConnection) {
        connections.withLock { connections in
            guard connections[connection.worker] === connection else { return }
            connections[connection.worker] = nil
        }
    }

    /// Has all connections follow another configuration.
    func wake() {
        for connection in connections.withLock({ $0.values }) { connection.wake() }
    }

    /// Ends the connections of all workers but some.
    func end(except names: Set<String>, reason: String) {
        let ended = connections.withLock { connections in
            connections.values.filter { !names.contains($0.worker) }
        }
        for connection in ended {
            connection.close(ConnectionEnd(reason: reason, isIntended: true))
        }
    }
}

/// One connection of a worker, from its handshake to its end.
struct WorkerSession: Sendable {
    /// How long the handshake may take.
    private static let handshakeTime: Duration = .seconds(60)

    private let connection: WorkerConnection
    private let master: Master
    private let sessions: WorkerSessions
    private let logger: Logger
    /// How often the worker is asked whether it is there, in the configuration in force.
    private let keepalive: @Sendable () -> Duration?

    init(
        _ connection: WorkerConnection, _ master: Master, _ sessions: WorkerSessions,
        _ logger: Logger, keepalive: @escaping @Sendable () -> Duration?
    ) {
        self.connection = connection
        self.master = master
        self.sessions = sessions
        self.logger = logger
        self.keepalive = keepalive
    }

    /// Serves the connection until it ends.
    func serve(_ socket: WebSocketConnection, _ messages: inout WebSocketMessages) async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await attend(socket) }
            async let writing: Void = write(to: socket)
            let end = await read(&messages)
            if end.isFault {
                connection.close(end)
                await writing
                await drain(&messages)
            } else {
                connection.finish(end)
            }
            socket.cut()
            await writing
            await group.waitForAll()
        }
    }

    private func write(to socket: WebSocketConnection) async {
        do {
            try await connection.write(to: socket)
        } catch {
            // Also the reader finds out.
            connection.finish(ConnectionEnd(reason: "its connection was lost"))
            socket.cut()
        }
    }

    /// Reads until the worker closes the connection, or it is cut.
    private func drain(_ messages: inout WebSocketMessages) async {
        while !Task.isCancelled {
            do {
                guard try await messages.next() != nil else { return }
            } catch is WebSocketFault {
                // One more.
            } catch {
                return
            }
        }
    }

    private func read(_ messages: inout WebSocketMessages) async -> ConnectionEnd {
        do {
            while let message = try await messages.next() {
                // A text means nothing here; a stock worker ignores it, too.
                guard case .binary(let bytes) = message, connection.end == nil else { continue }
                try await connection.receive(bytes)
            }
            return ConnectionEnd(reason: "its connection was closed")
        } catch let end as ConnectionEnd {
            return end
        } catch let fault as WebSocketFault {
            let isTooLarge = fault.code == .messageTooLarge
            return ConnectionEnd(
                reason: isTooLarge ? "it sent a message of more than 64 MiB" : fault.reason,
                isFault: true)
        } catch {
            return ConnectionEnd(reason: "its connection was lost (\("\(error)".shortened))")
        }
    }

    // MARK: Life

    private func attend(_ socket: WebSocketConnection) async {
        do {
            if let other = await livingOther() { return try await giveWay(to: other) }
            let worker = try await withDeadline { try await handshake() }
            guard
                let ticket = await master.workerConnected(
                    ConnectedWorker(
                        worker, basedir: worker.info.basedir, details: worker.info.details
                    ) { [connection] in
                        do {
                            try await connection.request("shutdown")
                        } catch {
                            // It exits at once, or has gone before.
                        }
                    })
            else {
                sessions.release(connection)
                return connection.close(ConnectionEnd(reason: "master.yaml has no such worker"))
            }
            await watch(socket)
            sessions.release(connection)
            let end = connection.end ?? ConnectionEnd(reason: "its connection was lost")
            await master.workerDisconnected(
                ticket, reason: end.reason, isIntended: end.isIntended)
        } catch {
            sessions.release(connection)
            let reason =
                switch error {
                case let end as ConnectionEnd: end
                case let refusal as WorkerConnection.Refusal:
                    ConnectionEnd(
                        reason: "it refused the handshake: \(refusal.text.shortened)", isFault: true
                    )
                default: ConnectionEnd(reason: "\(error)")
                }
            let place = "'\(connection.worker)' at \(connection.address)"
            // It connects again every two seconds.
            let fault = "\(connection.worker): \(reason.reason)"
            if let count = sessions.refusals.note(fault, from: place) {
                let more = RefusalLog.more(count)
                logger.warning("the worker \(place) can't be used: \(reason.reason)\(more)")
            }
            connection.close(reason)
        }
    }

    /// The other connection of the worker, if that is alive; one that is not is ended.
    private func livingOther() async -> WorkerConnection? {
        while let other = sessions.claim(connection) {
            if await isAlive(other) { return other }
            sessions.release(other)
        }
        return nil
    }

    /// Whether another connection of the worker answers in time; it is ended if not.
    private func isAlive(_ other: WorkerConnection) async -> Bool {
        let asked = ContinuousClock.now
        let time = sessions.duplicateTime
        let (verdicts, verdict) = AsyncStream<Bool>.makeStream()
        // Ends with the answer, or with the other connection.
        Task {
            do {
                try await other.request(
                    "print", ["message": "master got a duplicate connection"])
                verdict.yield(true)
            } catch {
                verdict.yield(other.end == nil)
            }
        }
        let timer = Task {
            try await Task.sleep(for: time)
            // Its answer may be behind output that takes long on a slow network.
            let isAlive = other.lastHeard > asked + time / 2
            if !isAlive { other.close(ConnectionEnd(reason: "it did not answer a ping")) }
            verdict.yield(isAlive)
        }
        defer { timer.cancel() }
        for await isAlive in verdicts { return isAlive }
        return true
    }

    /// Ends this connection, as the worker has another one, and says so on both machines.
    private func giveWay(to other: WorkerConnection) async throws {
        let (name, remedy) = (connection.worker, "give each process a worker of its own")
        if let count = sessions.refusals.note("\(name): duplicate", from: connection.address) {
            logger.warning(
                """
                refused a second process at \(connection.address) that connects as the worker \
                '\(name)': the one at \(other.address) is alive; \(remedy)\
                \(RefusalLog.more(count))
                """)
        }
        let reason = "this worker is already connected"
        // A stock worker writes this to its log, but not the reason of a close frame.
        _ = try await withDeadline {
            try await connection.request(
                "print",
                ["message": .text("\(reason), from \(other.address); \(remedy), or stop one")])
        }
        connection.close(ConnectionEnd(reason: reason))
    }

    private func withDeadline<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask { [connection] in
                try await Task.sleep(for: Self.handshakeTime)
                let end = ConnectionEnd(reason: "its handshake took too long")
                connection.finish(end)
                throw end
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    /// Lines stay whole up to 1 GiB: a stock worker corrupts longer ones.
    private static let settings: MessagePack = .map([
        "newline_re": .text(#"(\r\n|\r(?=.)|\033\[u|\033\[[0-9]+;[0-9]+[Hf]|\033\[2J|\x08+)"#),
        "max_line_length": .int(1 << 30), "buffer_timeout": .double(0.2),
        "buffer_size": .int(64 << 10),
    ])

    private func handshake() async throws -> RemoteWorker {
        try await connection.request("print", ["message": "attached"])
        let info = try WorkerInfo(try await connection.request("get_worker_info"))
        try await connection.request("set_worker_settings", ["args": Self.settings])
        let worker = RemoteWorker(connection, info)
        // A stock worker does not end its commands when it loses its master.
        let (code, words) = try await worker.sweep(worker.mark.ofAll)
        let killed = words.filter { $0 != "ended" }
        if !killed.isEmpty {
            let processes = killed.joined(separator: ", ").shortened
            logger.notice(
                "worker '\(connection.worker)': stopped processes of lost builds: \(processes)")
        }
        if code == 3 {
            logger.warning(
                """
                worker '\(connection.worker)': its system does not tell which processes are left of \
                lost builds; end them by hand
                """)
        } else if code != 0 {
            throw ConnectionEnd(reason: "processes of lost builds can't be ended there")
        }
        return worker
    }

    /// Waits for the end of the connection, and ends it if the worker stays silent.
    private func watch(_ socket: WebSocketConnection) async {
        var interval: Duration = .seconds(60)
        var asked: ContinuousClock.Instant?
        while connection.end == nil {
            // Of the configuration in force, which may no longer have the worker.
            interval = keepalive() ?? interval
            let (heard, now) = (connection.lastHeard, ContinuousClock.now)
            if let last = asked, last < heard { asked = nil }
            if asked == nil, now - heard >= interval {
                asked = now
                // The answer is a sign of life.
                Task { try await connection.request("keepalive") }
            } else if let asked, now - asked >= interval {
                let silence = (interval * 2).inSeconds
                connection.finish(ConnectionEnd(reason: "it was silent for \(silence)"))
                return socket.cut()
            }
            await connection.waitForEnd(for: (asked ?? heard) + interval - now)
        }
    }
}
