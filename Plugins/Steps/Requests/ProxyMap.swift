import MasterKit

/// The setting `proxies`: the proxies for schemes or hosts.
struct ProxyMap: AddressValue {
    let proxies: HTTPProxies

    static var shape: String {
        "a mapping of http, https, all, or one of these with ://host, to proxy addresses"
    }

    static var form: ValueForm { .mapping(of: .optional(.text)) }

    private static let served = ["http", "https", "all"]
    private static let spoken = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ProxyMap? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        var map: [String: String] = [:]
        var isRight = true
        for entry in entries {
            let key = key(entry.key, decoder)
            let address = decoder.decode(ProxyAddress?.self, from: entry.value)
            guard let key, let address else {
                isRight = false
                continue
            }
            map[key] = address?.text ?? ""
        }
        return isRight ? ProxyMap(proxies: .map(map)) : nil
    }

    private static func key(_ node: YAMLNode, _ decoder: SettingDecoder) -> String? {
        guard let key = decoder.decode(String.self, from: node)?.lowercased() else { return nil }
        let scheme = key.firstRange(of: "://").map { String(key[..<$0.lowerBound]) } ?? key
        guard served.contains(scheme) else {
            let remedy = Suggestion.remedy(for: scheme, among: served)
            return decoder.error(
                "unknown proxy key '\(scheme)'; \(remedy)", at: node.range)
        }
        return key
    }

    /// The URL of a proxy, with a supported scheme.
    private struct ProxyAddress: SettingValue {
        let text: String

        static var shape: String { "the address of a proxy such as http://127.0.0.1:3128" }

        static var form: ValueForm { .text }

        static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ProxyAddress? {
            guard let text = String.decode(node, with: decoder) else { return nil }
            let scheme = text.firstRange(of: "://").map { text[..<$0.lowerBound].lowercased() }
            guard !text.isEmpty, !text.hasControlCharacter, !text.contains(" "),
                spoken.contains(scheme ?? "http")
            else {
                return decoder.error(
                    "the address of a proxy has no space or control character and begins with one "
                        + "of " + spoken.map { "\($0)://" }.joined(separator: ", "),
                    at: node.range)
            }
            return ProxyAddress(text: text)
        }
    }
}

/// The setting `max_redirects`: the maximum number of redirects; exceeding it is an error.
struct RedirectLimit: SettingValue {
    let count: Int

    static var shape: String { "a whole number of redirects" }

    static var form: ValueForm { .integer }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RedirectLimit? {
        guard let count = decoder.decode(Int.self, from: node) else { return nil }
        guard count >= 0 else {
            return decoder.error(
                "\(decoder.subject) can't be \(count); with 0 the first redirect is an error, and "
                    + "'allow_redirects: false' takes a redirect for the answer", at: node.range)
        }
        return RedirectLimit(count: count)
    }
}
