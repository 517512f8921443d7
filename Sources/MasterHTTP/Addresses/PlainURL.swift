/// A URL of which nothing has to be encoded, decoded or left out, so that its parts stand in it as
/// they are: `https://ci.example:8443/hooks/build?token=x`.
///
/// Most URLs are plain. To read them without libcurl saves its loading, which takes longer than to
/// check a file of a thousand lines. Whatever is not plain, right or wrong, is left to libcurl.
struct PlainURL {
    let scheme: String
    let host: String
    let port: Int
    /// The URL with a path.
    let encoded: String

    /// Reads a URL; `nil` when it is not plain.
    init?(_ text: String) {
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://"), text.utf8.count <= HTTPAddress.longest else {
            return nil
        }
        scheme = isSecure ? "https" : "http"
        let rest = text.utf8.dropFirst(scheme.utf8.count + 3)
        let path = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let authority = rest[..<path].split(
            separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard authority.count <= 2, let name = authority.first, Self.isPlain(host: name),
            Self.isPlain(path: rest[path...])
        else { return nil }
        if authority.count == 2 {
            guard let number = Self.number(authority[1], upTo: 65_535), number > 0 else {
                return nil
            }
            port = number
        } else {
            port = isSecure ? 443 : 80
        }
        host = String(Substring(name))
        encoded = path == rest.endIndex ? text + "/" : text
    }

    /// Whether it is a name in small letters, or an IPv4 address of four decimal numbers.
    private static func isPlain(host: Substring.UTF8View) -> Bool {
        let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            !label.isEmpty
                && label.allSatisfy { isDigit($0) || isSmall($0) || "-_".utf8.contains($0) }
        }
        guard isName else { return false }
        // Any number may be part of an address in another notation, such as 127.1 or 0x7f000001.
        guard labels.contains(where: { $0.first.map(isDigit) ?? false }) else { return true }
        return labels.count == 4 && labels.allSatisfy { number($0, upTo: 255) != nil }
    }

    /// Whether a path, perhaps with a query, is sent as it is written.
    private static func isPlain(path: Substring.UTF8View) -> Bool {
        let query = path.firstIndex(of: UInt8(ascii: "?"))
        if let query, path.index(after: query) == path.endIndex { return false }
        let isPlain = path.allSatisfy { byte in
            isDigit(byte) || isSmall(byte) || isSmall(byte | 0x20)
                || "/-_.~?&=+,:;@!".utf8.contains(byte)
        }
        guard isPlain else { return false }
        return path[..<(query ?? path.endIndex)].split(separator: UInt8(ascii: "/"))
            .allSatisfy { !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }

    /// A decimal number without leading zeros.
    private static func number(_ digits: Substring.UTF8View, upTo limit: Int) -> Int? {
        guard digits.allSatisfy(isDigit), digits.count == 1 || digits.first != UInt8(ascii: "0"),
            let number = Int(Substring(digits)), number <= limit
        else { return nil }
        return number
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isSmall(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
}
