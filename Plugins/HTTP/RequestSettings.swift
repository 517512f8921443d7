import FoundationEssentials
import MasterKit

/// The setting `auth`: credentials for a request.
enum HTTPAuth: SettingValue {
    /// The given credentials.
    case known(HTTPAuthentication)
    /// The credentials for the host in a `.netrc` file.
    case netrc

    static var shape: String {
        "[user, password], {basic: [user, password]}, {digest: [user, password]}, "
            + "{bearer: token} or netrc"
    }

    static var form: ValueForm {
        .either([.list(of: .text), .choice(["netrc"]), .settings(AuthForm.self)])
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HTTPAuth? {
        if node.sequence != nil { return basic(node, decoder) }
        if node.scalarText == "netrc" { return .netrc }
        guard let entries = node.mapping?.entries, let entry = entries.first,
            let scheme = entry.key.scalarText
        else { return decoder.mismatch(node, expected: shape) }
        guard entries.count == 1 else {
            return decoder.error(
                "\(decoder.subject) has \(entries.count) kinds of authentication; keep one",
                at: node.range)
        }
        switch scheme {
        case "basic": return basic(entry.value, decoder)
        case "digest":
            return decoder.decode(UserAndPassword.self, from: entry.value).map {
                .known(.digest(user: $0.user, password: $0.password))
            }
        case "bearer":
            return decoder.decode(BearerToken.self, from: entry.value).map {
                .known(.bearer(token: $0.text))
            }
        default:
            let remedy = Suggestion.remedy(for: scheme, among: ["basic", "digest", "bearer"])
            return decoder.error(
                "unknown authentication '\(scheme)'; \(remedy)", at: entry.key.range)
        }
    }

    private static func basic(_ node: YAMLNode, _ decoder: SettingDecoder) -> HTTPAuth? {
        guard let pair = decoder.decode(UserAndPassword.self, from: node) else { return nil }
        guard !pair.user.contains(":") else {
            return decoder.error(
                "a user name of basic authentication can't have a colon in it", at: node.range)
        }
        return .known(.basic(user: pair.user, password: pair.password))
    }
}

/// The kinds of credentials, of which one is given.
struct AuthForm: Settings {
    @Setting("A user and a password, sent with each request.")
    fileprivate var basic: UserAndPassword?
    @Setting("A user and a password, sent as a digest.") fileprivate var digest: UserAndPassword?
    @Setting("A token.") fileprivate var bearer: BearerToken?
}

/// A list of a user and a password.
private struct UserAndPassword: SettingValue {
    let user: String
    let password: String

    static var shape: String { "a list of two texts, [user, password]" }

    static var form: ValueForm { .list(of: .text) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> UserAndPassword? {
        guard let pair = decoder.pair(node, shape: shape) else { return nil }
        let user = decoder.decode(String.self, from: pair.0)
        let password = decoder.decode(String.self, from: pair.1)
        guard let user, let password else { return nil }
        guard !(user + password).hasControlCharacter else {
            return decoder.error(
                "\(decoder.subject) has a line end or another control character in it; remove it",
                at: node.range)
        }
        return UserAndPassword(user: user, password: password)
    }
}

/// A token to send after `Bearer`.
private struct BearerToken: SettingValue {
    let text: String

    static var shape: String { "a token" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BearerToken? {
        guard let text = String.decode(node, with: decoder) else { return nil }
        guard !text.isEmpty else {
            return decoder.error("the bearer token is empty", at: node.range)
        }
        guard !text.hasControlCharacter else {
            return decoder.error(
                "the bearer token has a line end or another control character in it; remove it",
                at: node.range)
        }
        return BearerToken(text: text)
    }
}

/// The setting `auth` without support for `.netrc`: a report is sent with the same credentials
/// wherever the master runs.
struct KnownAuth: SettingValue {
    let authentication: HTTPAuthentication

    static var shape: String {
        "[user, password], {basic: [user, password]}, {digest: [user, password]} or "
            + "{bearer: token}"
    }

    static var form: ValueForm { .either([.list(of: .text), .settings(AuthForm.self)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> KnownAuth? {
        guard node.sequence != nil || node.mapping != nil else {
            return decoder.mismatch(node, expected: shape)
        }
        guard case .known(let authentication)? = decoder.decode(HTTPAuth.self, from: node)
        else { return nil }
        return KnownAuth(authentication: authentication)
    }
}

/// The setting `verify`: whether to verify server certificates, and against which authorities.
struct CertificateCheck: SettingValue {
    let verification: HTTPTLS.Verification

    static var shape: String { "true, false or the path of a file or folder of authorities" }

    static var form: ValueForm { .either([.boolean, .text]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> CertificateCheck? {
        if let isChecked = decoder.boolean(of: node) {
            return CertificateCheck(verification: isChecked ? .on : .off)
        }
        switch node.resolved {
        case .string(let path) where ["yes", "no", "on", "off"].contains(path.lowercased()):
            _ = Bool.decode(node, with: decoder)
            return nil
        case .string(let path) where !path.isEmpty:
            return decoder.existingPath(path, mayBeFolder: true, at: node.range).map {
                CertificateCheck(verification: .authorities(path: $0))
            }
        default:
            return decoder.mismatch(node, expected: shape)
        }
    }
}

/// The setting `cert`: the client certificate, with its key in a separate file or the same file.
struct ClientCertificate: SettingValue {
    let path: String
    let key: String?

    static var shape: String { "the path of a PEM file, or [certificate, key]" }

    static var form: ValueForm { .either([.text, .list(of: .text)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ClientCertificate? {
        guard node.sequence != nil else {
            guard case .string(let path) = node.resolved, !path.isEmpty else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.existingPath(path, at: node.range).map {
                ClientCertificate(path: $0, key: nil)
            }
        }
        guard let pair = decoder.pair(node, shape: shape) else { return nil }
        let path = decoder.decode(String.self, from: pair.0).flatMap {
            decoder.existingPath($0, at: pair.0.range)
        }
        let key = decoder.decode(String.self, from: pair.1).flatMap {
            decoder.existingPath($0, at: pair.1.range)
        }
        guard let path, let key else { return nil }
        return ClientCertificate(path: path, key: key)
    }
}

extension HTTPTLS {
    /// Creates TLS settings from `verify` and `cert`, or returns `nil` if neither is set.
    init?(_ check: CertificateCheck?, _ certificate: ClientCertificate?) {
        guard check != nil || certificate != nil else { return nil }
        self.init(
            verification: check?.verification ?? .on, clientCertificate: certificate?.path,
            key: certificate?.key)
    }
}

extension SettingDecoder {
    /// The absolute path of an existing file of the master; adds an error if it does not exist.
    func existingPath(
        _ path: String, mayBeFolder: Bool = false, at range: SourceRange?
    ) -> String? {
        guard !path.utf8.contains(0) else {
            return error("\(subject) has a NUL byte in its path; remove it", at: range)
        }
        let place = resolvedPath(path)
        var isFolder = false
        guard !path.isEmpty, FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
        else {
            return error(
                "\(subject) names '\(path)', which does not exist; relative paths start at the "
                    + "folder of master.yaml", at: range)
        }
        guard mayBeFolder || !isFolder else {
            return error("\(subject) names '\(path)', a folder; name a file in it", at: range)
        }
        return place
    }
}

extension SettingDecoder {
    /// The two items of a list; adds an error with `shape` for anything else.
    func pair(_ node: YAMLNode, shape: String) -> (YAMLNode, YAMLNode)? {
        guard let items = node.sequence else { return mismatch(node, expected: shape) }
        guard items.count == 2 else {
            return error(
                "\(subject) must be \(shape), not a list of \(items.count)", at: node.range)
        }
        return (items[0], items[1])
    }
}

/// The setting `timeout` of requests: one duration, or separate ones to connect and between bytes.
struct TimeLimits: SettingValue {
    let connect: Duration?
    let read: Duration?

    static var shape: String { "a duration such as 30 or 5m, or [connect, read]" }

    static var form: ValueForm { .either([.text, .list(of: .optional(.text))]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TimeLimits? {
        guard node.sequence != nil else {
            return decoder.decode(TimeLimit.self, from: node).map {
                TimeLimits(connect: $0.duration, read: $0.duration)
            }
        }
        guard let pair = decoder.pair(node, shape: shape) else { return nil }
        let connect = decoder.decode(TimeLimit?.self, from: pair.0)
        let read = decoder.decode(TimeLimit?.self, from: pair.1)
        guard let connect, let read else { return nil }
        return TimeLimits(connect: connect?.duration, read: read?.duration)
    }
}

/// A duration that is not zero.
struct TimeLimit: SettingValue {
    let duration: Duration

    static var shape: String { Duration.shape }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TimeLimit? {
        guard let duration = Duration.decode(node, with: decoder) else { return nil }
        guard duration > .zero else {
            return decoder.error(
                "\(decoder.subject) can't be 0; omit it for the default", at: node.range)
        }
        return TimeLimit(duration: duration)
    }
}

/// The setting `headers`: names and values, in order; null removes a default header.
struct HeaderFields: SettingValue {
    private(set) var headers = HTTPHeaders()
    private(set) var removed: [String] = []

    static var shape: String { "a mapping of header names to texts, or to null" }

    static var form: ValueForm { .mapping(of: .optional(.text)) }

    /// The headers determined by the body.
    private static let computed = ["content-length", "transfer-encoding"]

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HeaderFields? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        var fields = HeaderFields()
        var isValid = true
        for entry in entries where !fields.add(entry, decoder) { isValid = false }
        return isValid ? fields : nil
    }

    private mutating func add(_ entry: YAMLMapping.Entry, _ decoder: SettingDecoder) -> Bool {
        let name = decoder.decode(String.self, from: entry.key)
        let value = decoder.about(name.map { "the header '\($0)'" } ?? "a header") {
            decoder.decode(String?.self, from: entry.value)
        }
        guard let name, let value else { return false }
        if Self.computed.contains(name.lowercased()) {
            decoder.error(
                "the header \(name) is computed from the body; omit it", at: entry.key.range)
            return false
        }
        do {
            try HTTPHeaders([(name, value ?? "")]).validate()
        } catch {
            decoder.error(error.message, at: entry.key.range)
            return false
        }
        if let value { headers.add(name, value) } else { removed.append(name) }
        return true
    }
}

/// Formats headers for display, hiding the values of some of them.
struct HeaderListing: Sendable {
    /// The replacement for a hidden value.
    static let mark = "<HIDDEN>"

    /// The headers that always contain credentials.
    private static let credentials: Set = [
        "authorization", "cookie", "proxy-authorization", "set-cookie",
    ]

    private let hidden: Set<String>

    /// Hides the values of credentials and of the named headers, ignoring case.
    init(hiding names: [String] = []) {
        hidden = Self.credentials.union(names.map { $0.lowercased() })
    }

    /// Formats one line per header, in order.
    func lines(_ headers: HTTPHeaders) -> [String] {
        headers.map { header in
            let isHidden = hidden.contains(header.name.lowercased())
            return "\(header.name): \(isHidden ? Self.mark : header.value)"
        }
    }
}

extension String {
    /// Whether the text contains a control character, such as a line break, NUL, or escape.
    var hasControlCharacter: Bool {
        utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }
}

/// What to write instead of settings of requests that other programs name in another way.
enum RequestHints {
    /// A hint for a setting that reporters and steps spell alike, or `nil`.
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "user", "username", "password", "basic": "write 'auth: [user, password]'"
        case "token", "bearer":
            "write 'headers: {Authorization: !Interpolate \"Bearer %(secret:NAME)s\"}'"
        case "content_type", "contentType": "write 'headers: {Content-Type: …}'"
        case "ssl", "tls", "ca", "cacert", "insecure", "verify_ssl", "ssl_verify":
            "write 'verify: false', or 'verify' with a file of authorities"
        default: nil
        }
    }
}
