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

/// The web server of a master that stays up: the data API, live events, and pages.
package final class WebServer: MasterServer {
    /// The most connections; further ones wait until another has ended.
    static let connectionLimit = 1024
    /// How long requests may take once the server is closed.
    private static let closeTime: Duration = .seconds(3)

    private struct State {
        var site: WebSite?
        var hub: LiveHub?
        var api: DataAPI?
    }

    private let state = Mutex(State())
    private let slot: ListenerSlot
    private let sessions = WebSessions()
    private let hookBodies = BodyBudget()
    private let hookLog: HookLog
    private let version: String
    private let logger: Logger
    private let limits: WebSocketServerChannel.Limits
    /// How long the body of a request may take to arrive.
    private let bodyTime: Duration

    /// Creates a server that does not listen yet.
    ///
    /// - Parameters:
    ///   - version: The version of the program.
    ///   - logger: Is told where the server listens, and which change hooks are refused.
    package convenience init(version: String, logger: Logger) {
        self.init(version: version, logger: logger, limits: .init())
    }

    init(
        version: String, logger: Logger, limits: WebSocketServerChannel.Limits,
        bodyTime: Duration = .seconds(30)
    ) {
        slot = ListenerSlot(
            name: "the web page",
            maximum: ProcessLimits.connections(atMost: Self.connectionLimit), logger: logger)
        self.bodyTime = bodyTime
        self.version = version
        self.logger = logger
        hookLog = HookLog(logger)
        self.limits = limits
    }

    /// Where the page can be found on this machine, or `nil` if the configuration has none.
    package var address: String? {
        guard let site, let listener = slot.listener else { return nil }
        return Self.address(listener, isSecure: site.tls != nil)
    }

    private static func address(_ listener: ServerListener, isSecure: Bool) -> String {
        let at = ListenAddress(host: listener.host, port: listener.port)
        return "\(isSecure ? "https" : "http")://\(at)/"
    }

    // MARK: Configuration

    package func prepare(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, for master: Master
    ) async throws -> any PreparedServer {
        guard let settings = configuration.web else { return PreparedSite(server: self) }
        let tls = try settings.tls.map { try Self.context($0, in: configuration.folder) }
        let files = try settings.ui.map { try StaticFiles($0, in: configuration.folder) }
        let (api, hub) = try parts(for: master)
        let next = try await slot.prepare(
            host: settings.port.host, port: settings.port.port, connections)
        do {
            var url = configuration.identity.buildbotURL
            if settings.port.port == 0 {
                url = url.replacing(":0/", with: ":\(next.listener.port)/")
            }
            let site = WebSite(
                access: try WebAccess(settings, url: url, secrets),
                title: configuration.identity.title, titleURL: configuration.identity.titleURL,
                version: version, tls: tls, files: files, master: master, api: api, hub: hub,
                sessions: sessions, bodyTime: bodyTime,
                hooks: try ChangeHooks(
                    settings.changeHooks, secrets, for: master, hookBodies, hookLog))
            return PreparedSite(server: self, site: site, listener: next)
        } catch {
            await next.discard()
            throw error
        }
    }

    /// The parts that stay the same for a master.
    private func parts(for master: Master) throws -> (DataAPI, LiveHub) {
        try state.withLock { state in
            let api = try state.api ?? DataAPI(master)
            let hub = state.hub ?? LiveHub(master.events)
            (state.api, state.hub) = (api, hub)
            return (api, hub)
        }
    }

    private var connections: WebSocketServerChannel {
        WebSocketServerChannel(
            limits: limits,
            tls: { [weak self] in self?.site?.tls },
            responder: { [weak self] request, writer, channel in
                guard let site = self?.site else { throw CancellationError() }
                try await site.respond(to: request, from: channel.remoteAddress, with: writer)
            },
            accepts: { [weak self] head, remote in
                self?.site?.accepts(webSocket: head, from: remote) ?? false
            },
            handler: serve)
    }

    private func serve(
        _ connection: WebSocketConnection, _ messages: inout WebSocketMessages
    ) async throws {
        guard let hub = state.withLock(\.hub) else { return }
        try await WebSocketClient(connection, hub).serve(&messages)
    }

    private var site: WebSite? { state.withLock(\.site) }

    private static func context(
        _ files: WebCertificate, in folder: String
    ) throws(ListenError) -> NIOSSLContext {
        try .server(
            certificate: FilePaths.absolute(files.certificate, in: folder),
            key: FilePaths.absolute(files.key, in: folder), of: "www")
    }

    // MARK: In force

    /// A configuration of the web server that is ready.
    private struct PreparedSite: PreparedServer {
        let server: WebServer
        var site: WebSite?
        var listener: ListenerSlot.Prepared?

        func apply() async { server.apply(self) }

        func discard() async { await listener?.discard() }
    }

    private func apply(_ prepared: PreparedSite) {
        let (former, hub) = state.withLock { state in
            defer { state.site = prepared.site }
            return (state.site, state.hub)
        }
        if let former, let site = prepared.site, !site.access.letsRead(allReadersOf: former.access)
        {
            hub?.endClients("the rules of access have changed; connect again")
        }
        let before = slot.listener
        slot.use(prepared.listener, endingOthersWithin: Self.closeTime)
        if prepared.listener?.isNew == true, let address {
            logger.info("listening on \(address)")
        }
        guard let before, before !== slot.listener else { return }
        hub?.endClients("the web page has moved; connect again")
    }

    package func stop() async {
        let hub = state.withLock { state in
            state.site = nil
            return state.hub
        }
        hub?.finish()
        await slot.close(within: Self.closeTime)
    }
}
