import MasterKit

/// The setting `auth` where no `.netrc` file is read: a report is sent with the same credentials
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
