import MasterKit

/// The setting `headers`: names and values, in order; null removes a default header.
struct HeaderFields: SettingValue {
    private(set) var headers = HTTPHeaders()
    private(set) var removed: [String] = []

    static var shape: String { "a mapping of header names to texts, or to null" }

    /// The headers determined by the body.
    private static let computed = ["content-length", "transfer-encoding"]

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HeaderFields? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        var fields = HeaderFields()
        var isRight = true
        for entry in entries where !fields.add(entry, decoder) { isRight = false }
        return isRight ? fields : nil
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
