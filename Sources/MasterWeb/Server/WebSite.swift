internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1
internal import NIOSSL

/// The web server with one configuration: finds out who asks for what, and has it answered.
struct WebSite: Sendable {
    let access: WebAccess
    let title: String
    let titleURL: String
    let version: String
    let tls: NIOSSLContext?
    /// The files of Buildbot's own page.
    let files: StaticFiles?
    let master: Master
    let api: DataAPI
    let hub: LiveHub
    let sessions: WebSessions
    /// How long the body of a request may take to arrive.
    let bodyTime: Duration
    let hooks: ChangeHooks

    /// Where the dashboard is.
    var home: String { access.prefix + (files == nil ? "" : "dashboard/") }

    // MARK: Requests

    /// Answers a request.
    @concurrent
    func respond(
        to request: Request, from remote: SocketAddress?, with writer: consuming ResponseWriter
    ) async throws {
        var endsConnection = false
        var visitor = WebVisitor()
        var response: Response
        do {
            response = try await answer(request, from: remote, as: &visitor)
        } catch let fault as WebFault {
            endsConnection = fault.endsConnection
            response = self.response(to: fault, request.head, visitor)
        } catch let fault as CallFault {
            let message = fault.message.stringValue ?? "some values can't be used"
            response = self.response(
                to: WebFault(.init(code: fault.status), message), request.head, visitor)
        } catch let error as StoreError {
            response = self.response(
                to: WebFault(.internalServerError, "the store can't be used: \(error)"),
                request.head, visitor)
        }
        secure(&response)
        if request.method == .head { response = response.createHeadResponse() }
        if endsConnection || request.headers[.connection] == "close" {
            response.headers[.connection] = "close"
        }
        try await writer.write(response: response.head, body: response.body)
        // Closes the connection, so that the rest of the body need not be read.
        if endsConnection { throw CancellationError() }
    }

    /// Answers a request, unless it is wrong, and finds out who sends it.
    private func answer(
        _ request: Request, from remote: SocketAddress?, as visitor: inout WebVisitor
    ) async throws -> Response {
        // Load balancers ask with HTTP/1.0, without a host.
        if request.head.path?.prefix(while: { $0 != "?" }) == "/healthz" { return .text("ok\n") }
        var wanted = try WebRequest(request.head, from: remote)
        // Services reach it by any name of the host, and have no origin.
        if wanted.path.first == "change_hook" {
            return try await hooks.response(to: wanted, request, within: bodyTime)
        }
        try access.check(wanted)
        visitor = try access.visitor(of: wanted, sessions)
        if WebRequest.hasBody(request.head) {
            wanted.body = try await WebRequest.body(
                of: request, limit: WebRequest.bodyLimit, within: bodyTime)
        }
        return try await route(wanted, visitor)
    }

    private func route(_ request: WebRequest, _ visitor: WebVisitor) async throws -> Response {
        let rest = Array(request.path.dropFirst())
        switch request.path.first {
        case "api" where ["v2", "latest"].contains(rest.first):
            return try await data(Array(rest.dropFirst()), request, visitor)
        case "sse":
            try requireReading(visitor)
            return try events(rest, request)
        case "ws":
            // One that asked for a WebSocket, and had a right to, would have got it.
            try requireReading(visitor)
            throw WebFault(
                .upgradeRequired,
                "this address takes WebSockets only; a proxy in front must pass on the headers "
                    + "'Upgrade' and 'Connection'",
                headers: [.upgrade: "websocket", .connection: "close"])
        case "auth": return try login(rest, request, visitor)
        case "config" where rest.isEmpty: return configuration(for: visitor)
        case "avatar" where rest.isEmpty: return Avatar.response(to: request)
        case "metrics" where rest.isEmpty:
            try requireReading(visitor)
            return try await Metrics(site: self).response()
        default: break
        }
        if let files {
            if request.path.first == "dashboard" {
                guard !rest.isEmpty else { return .redirect(to: home) }
                return try await dashboard(rest, request, visitor)
            }
            try requireMethod("GET", request)
            return try files.response(to: request)
        }
        return try await dashboard(request.path, request, visitor)
    }

    private func dashboard(
        _ path: [String], _ request: WebRequest, _ visitor: WebVisitor
    ) async throws -> Response {
        try await Dashboard(site: self, request: request, visitor: visitor).response(to: path)
    }

    func requireReading(_ visitor: WebVisitor) throws(WebFault) {
        if let refusal = visitor.readRefusal { throw WebFault(.forbidden, refusal) }
    }

    func requireMethod(_ method: String, _ request: WebRequest) throws(WebFault) {
        guard request.method == method || method == "GET" && request.method == "HEAD" else {
            throw WebFault(
                .methodNotAllowed, "this address takes \(method) only",
                headers: [.allow: method == "GET" ? "GET, HEAD" : method])
        }
    }

    // MARK: Data API

    private func data(
        _ path: [String], _ request: WebRequest, _ visitor: WebVisitor
    ) async throws -> Response {
        var headers = HTTPFields()
        headers[.vary] = "Origin, Cookie"
        if let origin = request.headers[.origin] {
            headers[.accessControlAllowOrigin] = origin
            headers[.accessControlAllowHeaders] = "Content-Type"
            headers[.accessControlMaxAge] = "3600"
            let wanted = request.header("Access-Control-Request-Method") ?? ""
            if request.method == "OPTIONS", ["GET", "POST", "HEAD"].contains(wanted) {
                return Response(status: .ok, headers: headers)
            }
        }
        if let refusal = visitor.readRefusal {
            let body = JSONWriter.compact.bytes(["error": .string(refusal)])
            headers[.contentType] = "application/json; charset=utf-8"
            return Response(
                status: .forbidden, headers: headers,
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
        }
        let answer = await api.answer(
            DataRequest(
                request.method, path, query: request.query,
                contentType: request.headers[.contentType], body: request.body,
                acceptsJSON: request.headers[.accept]?.contains("application/json") == true,
                sender: DataSender(
                    name: visitor.user ?? "anonymous", refusal: visitor.controlRefusal)))
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
        let body =
            switch answer.body {
            case .bytes(let bytes): ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            case .stream(let pieces):
                ResponseBody { writer in
                    for try await piece in pieces {
                        try await writer.write(ByteBuffer(bytes: piece))
                    }
                    try await writer.finish(nil)
                }
            }
        return Response(status: .init(code: answer.status), headers: headers, body: body)
    }

    /// Whether a request may become a WebSocket.
    func accepts(webSocket head: HTTPRequestHead, from remote: SocketAddress?) -> Bool {
        do {
            let head = try HTTPTypes.HTTPRequest(head, secure: tls != nil, splitCookie: false)
            let request = try WebRequest(head, from: remote)
            guard request.path == ["ws"] else { return false }
            try access.check(request)
            return try access.visitor(of: request, sessions).readRefusal == nil
        } catch {
            // The request is answered as HTTP, with the reason.
            return false
        }
    }

    // MARK: Other resources

    /// What Buildbot's own page must know of its master.
    private func configuration(for visitor: WebVisitor) -> Response {
        let name: String
        switch access.proof {
        case .none: name = "NoAuth"
        case .passwords, .token: name = "UserPasswordAuth"
        case .header: name = "RemoteUserAuth"
        }
        let user: JSONValue =
            visitor.user.map {
                ["username": .string($0), "full_name": .string($0), "email": .string($0)]
            } ?? ["anonymous": true]
        let body: JSONValue = [
            "auth": ["name": .string(name)], "authz": [:], "avatar_methods": ["name": "initials"],
            "buildbotURL": .string(access.url), "debug": false, "logfileName": "",
            "multiMaster": false, "plugins": [:], "port": .int(access.origin.port),
            "title": .string(title), "titleURL": .string(titleURL), "user": user,
            "versions": [["Buildmaster", .string(version)]],
        ]
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/json; charset=utf-8", .cacheControl: "no-store",
            ],
            body: ResponseBody(
                byteBuffer: ByteBuffer(bytes: JSONWriter.compact.bytes(body))))
    }

    // MARK: Answers

    /// The answer to a request that is wrong.
    private func response(
        to fault: WebFault, _ head: HTTPTypes.HTTPRequest, _ visitor: WebVisitor
    ) -> Response {
        let path = head.path ?? ""
        let isPage = fault.message == WebFault.notFound.message
        let message = isPage ? access.words(forMissing: path) : fault.message
        var response: Response
        if path.hasPrefix("/api/") || path.hasPrefix("/config") {
            let body = JSONWriter.compact.bytes(["error": .string(message)])
            response = Response(
                status: fault.status, headers: [.contentType: "application/json; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
        } else if head.headerFields[.accept]?.contains("text/html") == true {
            response = Page(site: self, visitor: visitor, title: fault.status.reasonPhrase)
                .response(status: fault.status) { $0.sentence(message) }
        } else {
            response = .text(message + "\n", status: fault.status)
        }
        for field in fault.headers { response.headers[field.name] = field.value }
        return response
    }

    /// Adds the headers that keep browsers from taking an answer for something else.
    private func secure(_ response: inout Response) {
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "same-origin"
        response.headers[.xFrameOptions] = "DENY"
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    }
}

extension Response {
    /// A plain text.
    static func text(_ text: String, status: HTTPTypes.HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// Sends a browser to another address.
    static func redirect(to address: String) -> Response {
        Response(status: .seeOther, headers: [.location: address])
    }
}

extension HTTPField.Name {
    static let referrerPolicy = known("Referrer-Policy")
    static let retryAfter = known("Retry-After")
    static let xFrameOptions = known("X-Frame-Options")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else {
            preconditionFailure("the header '\(name)' has an invalid name")
        }
        return name
    }
}
