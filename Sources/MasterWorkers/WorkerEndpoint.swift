internal import Crypto
internal import FoundationEssentials
internal import HTTPTypes
internal import HummingbirdCore
package import Logging
package import MasterKit
package import MasterRuntime
internal import MasterWebSocket
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import Synchronization

/// Where stock `buildbot-worker` processes connect.
package final class WorkerEndpoint: MasterServer {
    /// The most connections; further ones wait until another has ended.
    private static let connectionLimit = 2048

    /// A configuration of the endpoint.
    struct Site: Sendable {
        let tls: NIOSSLContext?
        let logins: WorkerLogins
        /// How the connections of workers are watched, by their names.
        let access: [String: RemoteAccess]
        let master: Master
    }

    private let current = Mutex<Site?>(nil)
    private let slot: ListenerSlot
    private let sessions: WorkerSessions
    private let logger: Logger

    /// Creates an endpoint that does not listen yet.
    package convenience init(logger: Logger) {
        self.init(logger: logger, duplicateTime: .seconds(10))
    }

    /// Creates one whose workers have a time to prove that they are alive when another connection
    /// has their name.
    init(logger: Logger, duplicateTime: Duration) {
        slot = ListenerSlot(
            name: "the endpoint of workers",
            maximum: ProcessLimits.connections(atMost: Self.connectionLimit), logger: logger)
        sessions = WorkerSessions(duplicateTime: duplicateTime)
        self.logger = logger
    }

    /// The port on which it listens, or `nil` if the configuration has no endpoint.
    package var port: Int? { slot.listener?.port }

    /// The number of connections of workers that have proved their names.
    var connectionCount: Int { sessions.connectionCount }

    private var site: Site? { current.withLock(\.self) }

    // MARK: Configuration

    package func prepare(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, for master: Master
    ) async throws -> any PreparedServer {
        guard let settings = configuration.endpoint else { return Prepared(endpoint: self) }
        let context = RenderContext(secrets: secrets)
        var passwords: [String: String] = [:]
        var access: [String: RemoteAccess] = [:]
        for worker in configuration.workers ?? [] {
            guard let remote = worker.remote else { continue }
            passwords[worker.name] = try remote.password.render(in: context)
            access[worker.name] = remote
        }
        let site = Site(
            tls: try settings.tls.map { try Self.context($0, in: configuration.folder) },
            logins: WorkerLogins(passwords), access: access, master: master)
        let listener = try await slot.prepare(
            host: settings.port.host, port: settings.port.port, connections)
        return Prepared(endpoint: self, site: site, listener: listener)
    }

    private struct Prepared: PreparedServer {
        let endpoint: WorkerEndpoint
        var site: Site?
        var listener: ListenerSlot.Prepared?

        func apply() async { endpoint.apply(self) }

        func discard() async { await listener?.discard() }
    }

    private func apply(_ prepared: Prepared) {
        let before = current.withLock { site in
            defer { site = prepared.site }
            return site?.logins
        }
        // Workers that are connected to the previous port finish their builds there.
        slot.use(prepared.listener, endingOthersWithin: nil)
        let names = prepared.site.map { Set($0.access.keys) } ?? []
        sessions.end(except: names, reason: "master.yaml no longer has this worker")
        let unchanged = names.filter {
            before?.hasSamePassword($0, as: prepared.site?.logins) ?? true
        }
        sessions.end(except: unchanged, reason: "its password has changed")
        // Their intervals may have changed.
        sessions.wake()
        if let prepared = prepared.listener, prepared.isNew {
            let (host, port) = (prepared.listener.host, prepared.listener.port)
            logger.info("workers connect to \(ListenAddress(host: host, port: port))")
        }
    }

    package func stop() async {
        sessions.end(except: [], reason: "the master is stopping")
        current.withLock { $0 = nil }
        await slot.close(within: .seconds(3))
    }

    private static func context(
        _ files: WebCertificate, in folder: String
    ) throws(ListenError) -> NIOSSLContext {
        try .server(
            certificate: FilePaths.absolute(files.certificate, in: folder),
            key: FilePaths.absolute(files.key, in: folder), of: "msgpack")
    }

    // MARK: Connections

    private static var limits: WebSocketServerChannel.Limits {
        var limits = WebSocketServerChannel.Limits()
        // Before a worker has said who it is.
        limits.headSize = 8 << 10
        limits.idleTime = .seconds(5)
        limits.webSocket.messageSize = 64 << 20
        // Sessions watch their connections, each with its own interval.
        limits.webSocket.pingInterval = .seconds(86400)
        return limits
    }

    private var connections: WebSocketServerChannel {
        WebSocketServerChannel(
            limits: Self.limits, tls: { [weak self] in self?.site?.tls },
            responder: { [weak self] request, writer, channel in
                guard let self else { throw CancellationError() }
                try await respond(to: request, from: channel.remoteAddress, with: writer)
            },
            accepts: { [weak self] head, _ in
                self?.site?.logins.worker(head.headers.first(name: "authorization")) != nil
            },
            handler: serve)
    }

    @concurrent
    private func respond(
        to request: Request, from address: SocketAddress?, with writer: consuming ResponseWriter
    ) async throws {
        let (status, text) = refuse(request.headers[.authorization], from: address)
        try await writer.write(
            response: HTTPResponse(
                status: .init(code: status),
                headerFields: [
                    .contentType: "text/plain; charset=utf-8", .connection: "close",
                ]),
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }

    /// The answer to a request that may not become a WebSocket.
    private func refuse(_ header: String?, from address: SocketAddress?) -> (Int, String) {
        let place = address?.ipAddress ?? "an unknown address"
        guard let header else {
            return (401, "a worker must send its name and its password")
        }
        guard let login = WorkerLogins.Login(header) else {
            return (400, "the Authorization header is invalid")
        }
        guard site?.logins.worker(header) == nil else {
            return (426, "workers connect by WebSocket")
        }
        let name = login.name.shortened
        let isKnown = site?.access[login.name] != nil
        if let count = sessions.refusals.note(name, from: place) {
            let more = RefusalLog.more(count)
            let reason = isKnown ? "wrong password" : "master.yaml has no such worker"
            logger.warning("refused the worker '\(name)' from \(place): \(reason)\(more)")
        }
        return (401, "wrong name or password")
    }

    private func serve(
        _ socket: WebSocketConnection, _ messages: inout WebSocketMessages
    ) async throws {
        guard let site,
            let name = site.logins.worker(socket.request.headers.first(name: "authorization"))
        else { return }
        let connection = WorkerConnection(
            worker: name, address: socket.remoteAddress?.ipAddress ?? "an unknown address",
            lastActivity: { socket.lastActivity })
        let session = WorkerSession(connection, site.master, sessions, logger) { [weak self] in
            self?.site?.access[name]?.keepalive
        }
        try await sessions.serve(name) { try await session.serve(socket, &messages) }
    }
}

/// The names and passwords of workers.
struct WorkerLogins: Sendable {
    /// A name and a password, as a worker sends them.
    struct Login {
        let name: String
        let password: String

        /// Parses the value of an `Authorization` header of the kind Basic.
        init?(_ header: String) {
            let parts = header.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "basic",
                let data = Data(base64Encoded: String(parts[1])),
                let text = String(validating: data, as: UTF8.self),
                let colon = text.firstIndex(of: ":")
            else { return nil }
            name = String(text[..<colon])
            password = String(text[text.index(after: colon)...])
        }
    }

    /// The digests of the passwords by name, so that comparing them takes the same time wherever
    /// they differ.
    private let digests: [String: SHA256.Digest]
    /// Compared with the password of an unknown worker.
    private let none = SHA256.hash(data: Array("\(UInt64.random(in: .min ... .max))".utf8))

    init(_ passwords: [String: String]) {
        digests = passwords.mapValues { SHA256.hash(data: Array($0.utf8)) }
    }

    /// Whether a worker has the same password in others.
    func hasSamePassword(_ name: String, as others: WorkerLogins?) -> Bool {
        digests[name] == others?.digests[name]
    }

    /// The worker that an `Authorization` header proves, or `nil`.
    func worker(_ header: String?) -> String? {
        guard let login = header.flatMap({ Login($0) }) else { return nil }
        let isSame = SHA256.hash(data: Array(login.password.utf8)) == digests[login.name] ?? none
        return isSame && digests[login.name] != nil ? login.name : nil
    }
}

/// Limits how often the log tells of refused workers: a stock worker tries again every two seconds.
final class RefusalLog: Sendable {
    private static let interval: Duration = .seconds(600)
    private static let bound = 1000

    private let told = Mutex<[String: (at: ContinuousClock.Instant, count: Int)]>([:])

    /// What a message about several attempts ends in.
    static func more(_ count: Int) -> String { count > 1 ? "; \(count) attempts so far" : "" }

    /// Notes an attempt.
    ///
    /// - Returns: The number of attempts, if the log should tell now.
    func note(_ name: String, from address: String) -> Int? {
        told.withLock { told in
            let now = ContinuousClock.now
            let key = "\(address) \(name)"
            if told[key] == nil, told.count >= Self.bound {
                told = told.filter { now - $0.value.at < Self.interval }
                // Names and addresses that are made up must not fill the memory and the log.
                guard told.count < Self.bound else { return nil }
            }
            let count = (told[key]?.count ?? 0) + 1
            if let last = told[key]?.at, now - last < Self.interval {
                told[key]?.count = count
                return nil
            }
            told[key] = (now, count)
            return count
        }
    }
}
