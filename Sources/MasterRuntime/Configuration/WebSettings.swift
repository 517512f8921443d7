package import MasterKit

/// `www`: the web page, the REST data API and their users.
package struct WebSettings: Settings, SettingValue {
    @Setting("Where it listens: a port of this machine only, or HOST:PORT.", .primary)
    package var port = ListenAddress(host: ListenAddress.loopback, port: 8010)
    @Setting("Who users are; without it, only this machine's own browsers control the master.")
    package var auth: WebAuthentication?
    @Setting("What users may do.") package var authz = WebAuthorization()
    @Setting("Other origins than 'buildbotURL' whose pages may ask.", .named("allowed_origins"))
    package var allowedOrigins: [String] = []
    @Setting("The certificate; omit it behind a proxy that has one.")
    package var tls: WebCertificate?
    @Setting("The folder 'static' of an installed buildbot-www, to serve Buildbot's own page.")
    package var ui: String?
    @Setting("The services whose requests add changes, by name.", .named("change_hook_dialects"))
    package var changeHooks: ChangeHookSettings?

    package init() {}

    package static var shape: String { "a port, or a mapping such as {port: 8010}" }

    package static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> WebSettings? {
        let settings = decoder.within(.service) {
            decoder.read(WebSettings.self, from: node, owner: "www", at: node.range)
        }
        settings?.checkControl(with: decoder)
        return settings
    }

    package func check(_ settings: SettingsCheck) {
        for origin in allowedOrigins where WebOrigin(pattern: origin) == nil {
            settings.error(
                "'\(origin)' is not an origin; write scheme and host, such as "
                    + "https://ci.example.org", at: "allowed_origins")
        }
    }

    private func checkControl(with decoder: SettingDecoder) {
        guard let control = authz.control else { return }
        let place = authz.$control.node?.range
        guard let auth else {
            return decoder.error(
                "'control' needs 'auth', by which its users log in", at: place)
        }
        guard let users = auth.users else { return }
        let known = users.map(\.key)
        for name in control where !known.contains(name) {
            decoder.error(
                "'control' names the unknown user '\(name)'; "
                    + Suggestion.remedy(for: name, among: known), at: place)
        }
    }
}

extension WebSettings: SettingHints {
    package static func hint(forUnknown name: String) -> String? {
        switch name {
        case "host", "address", "bind": "write 'port: HOST:PORT'"
        case "url": "write 'buildbotURL' at the top level"
        case "users", "token": "write it in 'auth'"
        case "change_hook_auth": "write the secrets in 'change_hook_dialects'"
        case "plugins", "avatar_methods", "custom_templates_dir", "logfileName", "debug", "theme",
            "ui_default_config", "versions", "cookie_expiration_time", "json_cache_seconds",
            "default_page", "graphql":
            "this is a setting of Buildbot's own page; remove it"
        default: nil
        }
    }
}

/// `auth`: how users prove who they are, in one of several ways.
package struct WebAuthentication: Settings, SettingValue {
    @Setting("The passwords of users by name.", .notEmpty)
    package var users: ExactDictionary<Renderable<String>>?
    @Setting("A token that programs send as 'Authorization: Bearer', and people at the login.")
    package var token: Renderable<String>?
    @Setting("The header in which a proxy names the user.", .notEmpty)
    package var remoteUserHeader: String?
    @Setting("The addresses of proxies whose header is believed.", .notEmpty)
    package var trust: [String]?

    package init() {}

    package static var shape: String {
        "a mapping such as {users: {alice: !Secret alice}}, {token: !Secret token} or "
            + "{remoteUserHeader: X-Remote-User, trust: [127.0.0.1]}"
    }

    package func check(_ settings: SettingsCheck) {
        let ways = [users != nil, token != nil, remoteUserHeader != nil]
        if ways.count(where: \.self) != 1 {
            settings.error(
                "'auth' needs exactly one of 'users', 'token' and 'remoteUserHeader'", at: nil)
        }
        let isProxied = remoteUserHeader != nil
        if isProxied != (trust != nil) {
            settings.error(
                isProxied
                    ? "'remoteUserHeader' needs 'trust', the addresses of the proxies that set it, "
                        + "such as [127.0.0.1]"
                    : "'trust' belongs to 'remoteUserHeader'; remove it",
                at: isProxied ? "remoteUserHeader" : "trust")
        }
        if let remoteUserHeader, !remoteUserHeader.utf8.allSatisfy(\.isPlainInHeaderNames) {
            settings.error(
                "'\(remoteUserHeader)' is not the name of a header", at: "remoteUserHeader")
        }
        for (name, password) in users ?? [:] where password.constant != nil {
            settings.error(
                "the password of '\(name)' must not be in the file; write !Secret NAME",
                at: "users")
        }
        if token?.constant != nil {
            settings.error("the token must not be in the file; write !Secret NAME", at: "token")
        }
    }
}

extension WebAuthentication: SettingHints {
    package static func hint(forUnknown name: String) -> String? {
        switch name.split(separator: ".").last {
        case "UserPasswordAuth", "HTPasswdAuth", "HTPasswdAprAuth", "BasicAuth":
            "write 'users: {NAME: !Secret NAME}'"
        case "RemoteUserAuth": "write 'remoteUserHeader' and 'trust'"
        case "GitHubAuth", "GitLabAuth", "GoogleAuth", "BitbucketAuth", "LDAPAuth":
            "let a proxy log users in, and write 'remoteUserHeader' and 'trust'"
        case "NoAuth": "remove 'auth'"
        default: nil
        }
    }
}

extension UInt8 {
    fileprivate var isPlainInHeaderNames: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}

/// `authz`: what users may do.
package struct WebAuthorization: SettingHints, SettingValue {
    /// Who may read.
    package enum Readers: String, SettingEnumeration {
        case anyone
        case users
    }

    @Setting("Who may read: 'anyone', or 'users' who have logged in.")
    package var read = Readers.anyone
    @Setting("The users who may start and stop builds; by default all who have logged in.")
    package var control: [String]?

    package init() {}

    package static var shape: String { "a mapping such as {read: users, control: [alice]}" }

    package static func hint(forUnknown name: String) -> String? {
        switch name {
        case "allowRules", "roleMatchers", "util.Authz", "roles":
            "write 'control' with the names of those who may start and stop builds"
        default: nil
        }
    }

    package static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        decoder.read(Self.self, from: node, owner: "authz", at: node.range)
    }
}

/// `tls`: the certificate of a server.
package struct WebCertificate: Settings, SettingValue, Hashable {
    @Setting("The PEM file with the certificate and those that it depends on.", .notEmpty)
    package var certificate: String
    @Setting("The PEM file with the private key.", .notEmpty) package var key: String

    package init() {}

    package static func == (one: Self, other: Self) -> Bool {
        one.certificate == other.certificate && one.key == other.key
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(certificate)
        hasher.combine(key)
    }
}

/// Where a server listens.
package struct ListenAddress: SettingValue, Hashable, CustomStringConvertible {
    /// The address of this machine that others can't reach.
    package static let loopback = "127.0.0.1"

    /// The host name or IP address; an IPv6 address without brackets.
    package var host: String
    /// The port; 0 for any free one.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The address as `HOST:PORT`.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Whether only programs of this machine can connect.
    package var isLoopback: Bool { WebOrigin.isLoopback(host) }

    package static var shape: String { "a port, or HOST:PORT such as 127.0.0.1:8010" }

    package static var form: ValueForm { .either([.integer, .text]) }

    package static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ListenAddress? {
        guard let text = node.scalarText, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        if text.hasPrefix("tcp:") || text.hasPrefix("ssl:") {
            return decoder.error(
                "\(decoder.subject) is written HOST:PORT here, such as 127.0.0.1:8010, not "
                    + "'\(text)'", at: node.range)
        }
        if text.hasPrefix("*:") {
            // A resolver makes of it what it wants, such as one loopback address.
            return decoder.error(
                "\(decoder.subject) can't be '\(text)'; for all addresses write "
                    + "0.0.0.0\(text.dropFirst())", at: node.range)
        }
        if let address = ListenAddress(text) { return address }
        return decoder.mismatch(node, expected: shape)
    }

    /// Parses `PORT`, `HOST:PORT` or `[IPV6]:PORT`; a port alone is one of the loopback address.
    package init?(_ text: String) {
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[..<end].dropFirst()
            rest = text[end...].dropFirst()
            guard rest.hasPrefix(":") else { return nil }
        } else if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            rest = text[colon...]
            guard !host.contains(":") else { return nil }
        } else {
            host = Self.loopback[...]
            rest = ":" + text
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" }),
            rest.dropFirst().allSatisfy(\.isASCII), let port = Int(rest.dropFirst()),
            (0...65535).contains(port)
        else { return nil }
        self.init(host: String(host), port: port)
    }
}

/// Scheme, host and port of a page, or a pattern of them.
package struct WebOrigin: Sendable, Hashable {
    /// `http` or `https`.
    package let scheme: String
    /// The host in lower case, an IPv6 address in brackets.
    package let host: String
    /// The port, by default that of the scheme.
    package let port: Int

    /// Parses an origin such as `https://ci.example.org`, without a path.
    package init?(_ text: String) { self.init(text, allowing: "") }

    /// Parses an origin with `*` in its host.
    package init?(pattern text: String) { self.init(text, allowing: "*") }

    private init?(_ text: String, allowing more: String) {
        guard let colon = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard ["http", "https"].contains(scheme) else { return nil }
        self.init(
            scheme: scheme, authority: String(text[colon.upperBound...]), allowing: more)
    }

    /// Parses the authority of a URL with a scheme: HOST or HOST:PORT.
    package init?(scheme: String, authority: String, allowing more: String = "") {
        let text = authority.lowercased()
        var host = text[...]
        var port: Substring?
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            host = text[..<colon]
            port = text[colon...].dropFirst()
        }
        let isAddress = host.hasPrefix("[") && host.hasSuffix("]")
        let inner = isAddress ? host.dropFirst().dropLast() : host
        let plain: (Character) -> Bool = {
            $0.isASCII && ($0.isLetter || $0.isNumber || ".-_\(more)".contains($0))
                || isAddress && $0 == ":"
        }
        guard !inner.isEmpty, inner.allSatisfy(plain) else { return nil }
        self.scheme = scheme
        self.host = String(host)
        guard let port else {
            self.port = scheme == "https" ? 443 : 80
            return
        }
        guard port.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(port),
            (1...65535).contains(number)
        else { return nil }
        self.port = number
    }

    /// Whether another origin fits this one, in whose host `*` stands for any text.
    package func matches(_ other: WebOrigin, ignoringScheme: Bool = false) -> Bool {
        guard ignoringScheme || scheme == other.scheme, port == other.port else { return false }
        if host == other.host { return true }
        if Self.isLoopback(host), Self.isLoopback(other.host) { return true }
        guard host.contains("*") else { return false }
        let parts = host.split(separator: "*", omittingEmptySubsequences: false)
        var rest = other.host[...]
        for (index, part) in parts.enumerated() {
            if index == 0 {
                guard rest.hasPrefix(part) else { return false }
                rest = rest.dropFirst(part.count)
            } else if index == parts.count - 1 {
                return rest.hasSuffix(part)
            } else {
                guard let found = rest.firstRange(of: part) else { return false }
                rest = rest[found.upperBound...]
            }
        }
        return rest.isEmpty
    }

    /// Whether the host is this machine for a browser on this machine.
    package var isLoopback: Bool { Self.isLoopback(host) }

    /// Whether a name or address is always this machine.
    package static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}

extension MasterConfiguration {
    /// The address of the web page in browsers, if the file does not tell; `nil` without one.
    static func standardURL(of web: WebSettings?) -> String? {
        web.map { "\($0.tls == nil ? "http" : "https")://localhost:\($0.port.port)/" }
    }
}

extension ConfigurationAssembler {
    /// Checks the web page against `buildbotURL`.
    func checkWeb(_ settings: MasterSettings) {
        guard let web = settings.www else { return }
        let place = settings.$www.node?.range
        guard let url = settings.buildbotURL else {
            // A misspelled or invalid one has its own message.
            guard !settings.$buildbotURL.isGiven, !web.port.isLoopback else { return }
            decoder.error(
                "a web page that others can reach needs 'buildbotURL' at the top level, its "
                    + "address in browsers; requests for other hosts are refused", at: place)
            return
        }
        if web.tls != nil, url.text.lowercased().hasPrefix("http:") {
            decoder.warning(
                "'buildbotURL' begins with http:, but 'tls' serves https:",
                at: settings.$buildbotURL.node?.range)
        }
    }
}
