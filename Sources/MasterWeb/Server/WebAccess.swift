internal import Crypto
internal import FoundationEssentials
internal import HTTPTypes
internal import MasterKit
internal import MasterRuntime

/// Who sends a request, and what it may do.
struct WebVisitor: Sendable {
    /// The name, or `nil` for anybody.
    var user: String?
    /// Why it must not read; `nil` if it may.
    var readRefusal: String?
    /// Why it must not start or stop anything; `nil` if it may.
    var controlRefusal: String?
    /// The value of the cookie that tells visitors apart, if the request has one.
    var cookie: String?
}

/// The rules of a configuration: where requests may come from, and what their senders may do.
struct WebAccess: Sendable {
    /// How users prove who they are.
    enum Proof: Sendable, Hashable {
        case none
        case passwords([String: String])
        case token(String)
        case header(String, trusted: Set<String>)
    }

    /// The name of those who know the token.
    private static let tokenUser = "token"

    /// The address of the page in browsers.
    let url: String
    let origin: WebOrigin
    /// The path of that address, with a slash at its end.
    let prefix: String
    let proof: Proof
    private let allowed: [WebOrigin]
    private let readers: WebAuthorization.Readers
    private let controllers: Set<String>?
    /// Whether both the socket and the address in browsers are this machine's own.
    private let isLocal: Bool

    /// Takes the rules from the settings.
    ///
    /// - Throws: If a secret can't be read.
    init(
        _ settings: WebSettings, url: String, _ secrets: SecretValues
    ) throws {
        guard let found = Self.parts(of: url) else {
            throw MasterError(
                .plugin, "'buildbotURL' is not an address that browsers can open: \(url)")
        }
        self.url = url
        (origin, prefix) = found
        allowed = settings.allowedOrigins.compactMap { WebOrigin(pattern: $0) }
        readers = settings.authz.read
        controllers = settings.authz.control.map { Set($0) }
        isLocal = settings.port.isLoopback && found.0.isLoopback
        let context = RenderContext(secrets: secrets)
        guard let auth = settings.auth else {
            proof = .none
            return
        }
        if let users = auth.users {
            var passwords: [String: String] = [:]
            for (name, password) in users { passwords[name] = try password.render(in: context) }
            proof = .passwords(passwords)
        } else if let token = auth.token {
            proof = .token(try token.render(in: context))
        } else {
            proof = .header(
                auth.remoteUserHeader ?? "", trusted: Set(auth.trust ?? []))
        }
    }

    private static func parts(of url: String) -> (WebOrigin, String)? {
        guard let start = url.firstRange(of: "://")?.upperBound else { return nil }
        let end = url[start...].firstIndex(of: "/") ?? url.endIndex
        let authority = url[start..<end].split(separator: "@").last ?? ""
        let scheme = url[..<start].dropLast(3)
        guard let origin = WebOrigin("\(scheme)://\(authority)") else { return nil }
        let path = String(url[end...].prefix { $0 != "?" && $0 != "#" })
        return (origin, path.hasSuffix("/") ? path : path + "/")
    }

    // MARK: Origins

    /// Checks what a request was meant for and where it comes from.
    ///
    /// - Throws: ``WebFault`` unless both are known.
    func check(_ request: WebRequest) throws(WebFault) {
        guard
            let host = WebOrigin(scheme: origin.scheme, authority: request.authority),
            origin.matches(host) || allowed.contains(where: { $0.matches(host) })
        else {
            throw WebFault(
                .badRequest,
                "the host '\(request.authority)' is not that of buildbotURL; use \(url), or change "
                    + "buildbotURL or allowed_origins")
        }
        for text in request.headers[values: .origin] where !isAllowed(origin: text) {
            throw WebFault(
                .badRequest,
                "the origin '\(text.shortened(to: 200))' is not that of buildbotURL; use \(url), or "
                    + "change buildbotURL or allowed_origins")
        }
    }

    /// Why there may be nothing at a path.
    func words(forMissing path: String) -> String {
        let missing = WebFault.notFound.message
        guard prefix != "/", (path + "/").hasPrefix(prefix) else { return missing }
        return missing + "; a proxy in front must remove '\(prefix.dropLast())', the path of "
            + "buildbotURL, from the requests that it passes on"
    }

    private func isAllowed(origin text: String) -> Bool {
        guard let given = WebOrigin(text) else { return false }
        return origin.matches(given) || allowed.contains { $0.matches(given) }
    }

    // MARK: Visitors

    /// Whether only users can read.
    var isPrivate: Bool { readers == .users }

    /// Whether everybody who could read under other rules still can.
    func letsRead(allReadersOf other: WebAccess) -> Bool {
        readers == .anyone || readers == other.readers && proof == other.proof
    }

    /// Determines who sends a request.
    ///
    /// - Throws: ``WebFault`` for wrong credentials, and after too many of them.
    func visitor(of request: WebRequest, _ sessions: WebSessions) throws(WebFault) -> WebVisitor {
        var visitor = WebVisitor(cookie: request.cookie(cookieName))
        visitor.user = try user(of: request, visitor.cookie, sessions)
        if readers == .users, visitor.user == nil {
            visitor.readRefusal = loginRefusal("read", request)
        }
        visitor.controlRefusal =
            visitor.readRefusal ?? controlRefusal(of: visitor.user, request)
        return visitor
    }

    private func controlRefusal(of user: String?, _ request: WebRequest) -> String? {
        if case .none = proof {
            guard isLocal, !request.isForwarded, WebOrigin.isLoopback(request.remote) else {
                return "this page can only be read; add 'auth' to 'www' to control the master"
            }
            return nil
        }
        guard let user else { return loginRefusal("control the master", request) }
        guard controllers?.contains(user) ?? true else {
            return "'\(user)' may read, but not control the master"
        }
        return nil
    }

    /// What somebody has to do to be known as a user.
    private func loginRefusal(_ purpose: String, _ request: WebRequest) -> String {
        guard case .header(let name, let trusted) = proof else { return "log in to \(purpose)" }
        guard trusted.contains(request.remote) else {
            return "log in to \(purpose), through a proxy in 'trust': the header '\(name)' is not "
                + "believed from \(request.remote)"
        }
        return "log in at the proxy to \(purpose): the header '\(name)' is missing"
    }

    private func user(
        of request: WebRequest, _ cookie: String?, _ sessions: WebSessions
    ) throws(WebFault) -> String? {
        if case .header(let name, let trusted) = proof {
            guard trusted.contains(request.remote) else { return nil }
            return request.header(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        if case .none = proof { return nil }
        if let header = request.headers[.authorization] {
            let words = header.split(separator: " ", maxSplits: 1)
            let (kind, text) = (words.first?.lowercased(), words.count > 1 ? words[1] : "")
            if kind == "bearer" { return try logIn("", String(text), request, sessions) }
            guard kind == "basic", let data = Data(base64Encoded: String(text)) else {
                throw refusal
            }
            let pair = String(decoding: data, as: UTF8.self)
                .split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw refusal }
            return try logIn(String(pair[0]), String(pair[1]), request, sessions)
        }
        // Whoever has been removed from the file, or has another password by now, logs in again.
        return cookie.flatMap { sessions.user(of: $0, secret: secret) }
    }

    /// What a user logs in with; `nil` if there is no such user.
    private func secret(of user: String) -> String? {
        switch proof {
        case .passwords(let passwords): passwords[user]
        case .token(let token): user == Self.tokenUser ? token : nil
        case .none, .header: nil
        }
    }

    /// Begins the login of a user who has proved to be one.
    ///
    /// - Returns: The value of the cookie.
    func begin(_ user: String, _ sessions: WebSessions) -> String {
        sessions.begin(user: user, secret: secret(of: user) ?? WebSessions.newID())
    }

    /// Checks credentials.
    ///
    /// - Returns: The user.
    /// - Throws: ``WebFault`` if they are wrong, or after too many wrong ones.
    func logIn(
        _ name: String, _ secret: String, _ request: WebRequest, _ sessions: WebSessions
    ) throws(WebFault) -> String {
        let address = Self.limitedAddress(of: request)
        if let pause = sessions.pause(for: address) {
            let seconds = Int(pause.components.seconds) + 1
            throw WebFault(
                .tooManyRequests,
                "too many failed logins; try again in \(seconds) s",
                headers: [.retryAfter: "\(seconds)"])
        }
        switch proof {
        case .passwords(let passwords):
            // Compared with something also if there is no such user.
            let isSame = WebSessions.isSame(secret, passwords[name] ?? WebSessions.newID())
            if isSame, passwords[name] != nil { return name }
        case .token(let token):
            if WebSessions.isSame(secret, token) { return Self.tokenUser }
        case .none, .header: break
        }
        sessions.noteFailure(of: address)
        throw refusal
    }

    private var refusal: WebFault {
        WebFault(
            .unauthorized, "wrong credentials",
            headers: [.wwwAuthenticate: "Basic realm=\"buildmaster\", charset=\"UTF-8\""])
    }

    /// What failed logins are counted for: an address, or a network of IPv6.
    private static func limitedAddress(of request: WebRequest) -> String {
        let address = request.client
        guard address.contains(":") else { return address }
        return address.split(separator: ":", omittingEmptySubsequences: false).prefix(4)
            .joined(separator: ":")
    }

    // MARK: Cookies

    /// The name of the cookie; browsers don't tell the ports of a host apart.
    private var cookieName: String { "buildmaster-\(origin.port)" }

    /// The header that sets the cookie, or removes it.
    func cookie(_ value: String?) -> String {
        let secure = origin.scheme == "https" ? "; Secure" : ""
        let age = value == nil ? 0 : WebSessions.lifetime.components.seconds
        return "\(cookieName)=\(value ?? ""); Path=\(prefix); Max-Age=\(age); HttpOnly; "
            + "SameSite=Lax\(secure)"
    }
}
