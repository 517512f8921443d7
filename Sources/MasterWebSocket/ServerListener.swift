internal import FoundationEssentials
internal import Glibc
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
package import NIOSSL
internal import Synchronization

/// A server that listens at an address until it is closed.
package final class ServerListener: Sendable {
    /// The host that it listens at.
    package let host: String
    /// The port, also where any free one was wanted.
    package let port: Int
    private let server: Server<WebSocketServerChannel>
    private let task: Task<Void, Never>
    private let logger: Logger

    /// Listens at an address.
    ///
    /// - Parameters:
    ///   - host: A host name or an IP address, without brackets.
    ///   - port: The port, or 0 for any free one.
    ///   - name: What the server is, for messages: `the web page`.
    ///   - maximum: The number of connections; further ones wait until another has ended.
    ///   - connections: Serves the connections.
    ///   - logger: Is told when connections wait, and at the level debug what is no user's business.
    /// - Throws: ``ListenError`` if it can't.
    package init(
        host: String, port: Int, name: String, maximum: Int,
        connections: WebSocketServerChannel, logger: Logger
    ) async throws(ListenError) {
        let limit = ConnectionLimit(name: name, maximum: maximum, logger: logger)
        var logger = logger
        // The server's own messages are about its insides.
        logger.logLevel = .critical
        let (bound, listening) = AsyncThrowingStream<Int, any Error>.makeStream()
        let server = Server(
            childChannelSetup: connections,
            configuration: ServerConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: limit),
            onServerRunning: { listening.yield($0.localAddress?.port ?? port) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger)
        // Ends when the listener is closed.
        task = Task {
            do {
                try await server.run()
                listening.finish()
            } catch {
                listening.finish(throwing: error)
            }
        }
        self.server = server
        self.logger = logger
        self.host = host
        do {
            var iterator = bound.makeAsyncIterator()
            guard let port = try await iterator.next() else { throw CancellationError() }
            self.port = port
        } catch {
            task.cancel()
            throw ListenError(error, name: name, host: host, port: port)
        }
    }

    /// Frees the port; connections have some time to end, or as long as they want, and are then cut.
    package func close(within limit: Duration?) async {
        // Ends after the limit.
        let timer = limit.map { limit in
            Task { [task] in
                try await Task.sleep(for: limit)
                task.cancel()
            }
        }
        do {
            try await server.shutdownGracefully()
        } catch {
            logger.debug("closing a server failed: \(error)")
        }
        timer?.cancel()
        task.cancel()
        await task.value
    }
}

/// Lets connections wait while there are too many, and says so once a minute.
private struct ConnectionLimit: AvailableConnectionsDelegate {
    private let name: String
    private let maximum: Int
    private let logger: Logger
    private var count = 0
    private var lastWarning: ContinuousClock.Instant?

    init(name: String, maximum: Int, logger: Logger) {
        self.name = name
        self.maximum = maximum
        self.logger = logger
    }

    mutating func connectionOpened() {
        count += 1
        let now = ContinuousClock.now
        guard count >= maximum, lastWarning.map({ now - $0 > .seconds(60) }) ?? true else { return }
        lastWarning = now
        logger.warning(
            "\(name) has as many connections as it takes, \(maximum); others wait until one ends")
    }

    mutating func connectionClosed() { count -= 1 }

    func isAcceptingNewConnections() -> Bool { count < maximum }
}

/// Where a server listens, which its configuration can change while it runs.
package final class ListenerSlot: Sendable {
    /// A listener that is ready.
    package struct Prepared: Sendable {
        /// The listener.
        package let listener: ServerListener
        /// Whether it was made for this, and is not the one in use.
        package let isNew: Bool
        /// The port that was wanted, which is 0 for any.
        fileprivate let port: Int

        /// Gives it up, unless it is the one in use.
        package func discard() async {
            if isNew { await listener.close(within: .zero) }
        }
    }

    private struct State {
        var used: Prepared?
        /// Those that have been replaced, while they have connections.
        var replaced: [ServerListener] = []
    }

    private let state = Mutex(State())
    private let name: String
    private let maximum: Int
    private let logger: Logger

    /// Creates a place at which nothing listens yet; see ``ServerListener``.
    package init(name: String, maximum: Int, logger: Logger) {
        self.name = name
        self.maximum = maximum
        self.logger = logger
    }

    /// The listener in use.
    package var listener: ServerListener? { state.withLock(\.used?.listener) }

    /// Gets ready to listen at an address; that is the listener in use if it has that address.
    ///
    /// - Throws: ``ListenError`` if it can't.
    package func prepare(
        host: String, port: Int, _ connections: WebSocketServerChannel
    ) async throws(ListenError) -> Prepared {
        let used = state.withLock(\.used)
        if let used, used.listener.host == host, [used.port, used.listener.port].contains(port) {
            return Prepared(listener: used.listener, isNew: false, port: port)
        }
        do throws(ListenError) {
            let listener = try await ServerListener(
                host: host, port: port, name: name, maximum: maximum, connections: connections,
                logger: logger)
            return Prepared(listener: listener, isNew: true, port: port)
        } catch {
            guard let own = used?.listener, own.port == port else { throw error }
            throw ListenError(
                "\(name) can't move from \(ListenError.address(own.host, port)) to "
                    + "\(ListenError.address(host, port)) while the master runs; restart it, or "
                    + "choose another port")
        }
    }

    /// Uses a listener from now on, or none.
    ///
    /// - Parameters:
    ///   - prepared: The listener.
    ///   - limit: How long connections of the previous one may last.
    package func use(_ prepared: Prepared?, endingOthersWithin limit: Duration?) {
        let previous = state.withLock { state in
            defer { state.used = prepared }
            let previous = state.used?.listener
            guard let previous, previous !== prepared?.listener else {
                return nil as ServerListener?
            }
            state.replaced.append(previous)
            return previous
        }
        guard let previous else { return }
        // Ends with its connections, or when everything is closed.
        Task {
            await previous.close(within: limit)
            state.withLock { $0.replaced.removeAll { $0 === previous } }
        }
    }

    /// Closes all listeners.
    package func close(within limit: Duration) async {
        let listeners = state.withLock { state in
            defer { state = State() }
            return state.replaced + [state.used?.listener].compactMap(\.self)
        }
        await withTaskGroup(of: Void.self) { group in
            for listener in listeners { group.addTask { await listener.close(within: limit) } }
        }
    }
}

/// Why a server can't listen, and how to fix it.
package struct ListenError: Error, CustomStringConvertible {
    /// What happened and how to fix it, in one sentence.
    package let description: String

    fileprivate init(_ description: String) {
        self.description = description
    }

    fileprivate static func address(_ host: String, _ port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    init(_ cause: any Error, name: String, host: String, port: Int) {
        let start = "\(name) cannot listen on \(Self.address(host, port))"
        if cause is SocketAddressError.UnknownHost {
            description =
                "\(start): unknown host '\(host)'; use an address of this machine, such as "
                + "127.0.0.1"
            return
        }
        description =
            switch (cause as? IOError)?.errnoCode {
            case EADDRINUSE:
                "\(start): the port is in use; stop the other program, or choose another port"
            case EACCES, EPERM:
                "\(start): ports below 1024 need root; choose a higher one"
            case EADDRNOTAVAIL:
                "\(start): this machine does not have that address; use 127.0.0.1, or 0.0.0.0 for "
                    + "all its addresses"
            default:
                "\(start): \(cause); choose another address"
            }
    }
}

extension NIOSSLContext {
    /// Makes the context of a server.
    ///
    /// - Parameters:
    ///   - certificate: The absolute path of the certificate and those that lead to its authority.
    ///   - key: The absolute path of its key.
    ///   - setting: The setting that names them, for messages.
    /// - Returns: The context.
    /// - Throws: ``ListenError`` if they can't be used.
    package static func server(
        certificate: String, key: String, of setting: String
    ) throws(ListenError) -> NIOSSLContext {
        let chain = try part("certificate", certificate, setting) {
            try NIOSSLCertificate.fromPEMFile(certificate)
        }
        let privateKey = try part("key", key, setting) {
            try NIOSSLPrivateKey(file: key, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        // Older versions are broken, and nobody needs them.
        configuration.minimumTLSVersion = .tlsv12
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw ListenError(
                "the key \(key) of '\(setting)' is not that of the certificate \(certificate): "
                    + "\(error)")
        }
    }

    private static func part<Part>(
        _ kind: String, _ file: String, _ setting: String, _ read: () throws -> Part
    ) throws(ListenError) -> Part {
        let files = FileManager.default
        guard files.isReadableFile(atPath: file) else {
            let reason = files.fileExists(atPath: file) ? "can't be read" : "does not exist"
            throw ListenError("the \(kind) \(file) of '\(setting)' \(reason)")
        }
        do {
            return try read()
        } catch {
            let text = try? String(contentsOfFile: file, encoding: .utf8)
            if kind == "key", text?.contains("ENCRYPTED") == true {
                throw ListenError(
                    "the key \(file) of '\(setting)' needs a passphrase; name one without, as "
                        + "'openssl pkey -in \(file)' writes it")
            }
            throw ListenError(
                "the \(kind) \(file) of '\(setting)' is not a \(kind) in PEM format: \(error)")
        }
    }
}
