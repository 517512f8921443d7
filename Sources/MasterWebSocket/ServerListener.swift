internal import Glibc
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
package import NIOSSL

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
    ///   - logger: Is told what is no user's business, at the level debug.
    /// - Throws: ``ListenError`` if it can't.
    package init(
        host: String, port: Int, name: String, maximum: Int,
        connections: WebSocketServerChannel, logger: Logger
    ) async throws(ListenError) {
        var logger = logger
        // The server's own messages are about its insides.
        logger.logLevel = .critical
        let (bound, listening) = AsyncThrowingStream<Int, any Error>.makeStream()
        let server = Server(
            childChannelSetup: connections,
            configuration: ServerConfiguration(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(maximum)),
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

    /// Frees the port; connections have some time to end, and are then cut.
    package func close(within limit: Duration) async {
        // Ends after the limit.
        let timer = Task { [task] in
            try await Task.sleep(for: limit)
            task.cancel()
        }
        do {
            try await server.shutdownGracefully()
        } catch {
            logger.debug("closing a server failed: \(error)")
        }
        timer.cancel()
        task.cancel()
        await task.value
    }
}

/// Why a server can't listen, and how to fix it.
package struct ListenError: Error, CustomStringConvertible {
    /// What happened and how to fix it, in one sentence.
    package let description: String

    fileprivate init(_ description: String) {
        self.description = description
    }

    init(_ cause: any Error, name: String, host: String, port: Int) {
        let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let start = "\(name) cannot listen on \(address)"
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
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map {
                    .certificate($0)
                },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
            // Older versions are broken, and nobody needs them.
            configuration.minimumTLSVersion = .tlsv12
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw ListenError(
                "the certificate \(certificate) and the key \(key) of '\(setting)' can't be used: "
                    + "\(error)")
        }
    }
}
