import MasterKit

/// The setting `cookies`: names with values; null drops one.
struct RequestCookies: SettingValue {
    let pairs: [HTTPPair]

    static var shape: String { "a mapping of cookie names to texts" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RequestCookies? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        let cookies = entries.map { pair($0, decoder) }
        let present = cookies.compactMap(\.self)
        guard present.count == cookies.count else { return nil }
        return RequestCookies(pairs: present.compactMap(\.self))
    }

    private static func pair(
        _ entry: YAMLMapping.Entry, _ decoder: SettingDecoder
    ) -> HTTPPair?? {
        let name = decoder.decode(String.self, from: entry.key)
        let value = decoder.about(name.map { "the cookie '\($0)'" } ?? "a cookie") {
            decoder.decode(String?.self, from: entry.value)
        }
        guard let name, let value else { return nil }
        guard let value else { return .some(nil) }
        guard !name.isEmpty, !(name + value).contains(where: isForbidden), !name.contains("=")
        else {
            return decoder.error(
                "the cookie '\(name)' has a character that cookies can't have, such as a "
                    + "semicolon or a line end; encode it", at: entry.key.range)
        }
        return HTTPPair(name, value)
    }

    private static func isForbidden(_ character: Character) -> Bool {
        character == ";"
            || character.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }
}
