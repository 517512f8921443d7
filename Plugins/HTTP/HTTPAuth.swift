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

/// A list of a user and a password.
private struct UserAndPassword: SettingValue {
    let user: String
    let password: String

    static var shape: String { "a list of two texts, [user, password]" }

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

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> KnownAuth? {
        guard node.sequence != nil || node.mapping != nil else {
            return decoder.mismatch(node, expected: shape)
        }
        guard case .known(let authentication)? = decoder.decode(HTTPAuth.self, from: node)
        else { return nil }
        return KnownAuth(authentication: authentication)
    }
}
