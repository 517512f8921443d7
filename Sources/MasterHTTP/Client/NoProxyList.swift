/// The hosts in `no_proxy`, which are contacted directly.
///
/// An entry is `*`; a host or domain, which includes its subdomains, may start with `.` or `*.`,
/// and may end with `:port`; or an IPv4 network such as `10.0.0.0/8`.
struct NoProxyList: Sendable {
    private let entries: [String]

    /// Parses a list separated by commas or spaces.
    init(_ text: String) {
        entries = text.lowercased().split { $0 == "," || $0.isWhitespace }
            .map { InternationalName.asciiIfPossible(String($0)) }
    }

    /// Whether to contact the address directly.
    func matches(_ address: HTTPAddress) -> Bool {
        entries.contains { matches($0, address) }
    }

    private func matches(_ entry: String, _ address: HTTPAddress) -> Bool {
        if entry == "*" || entry == address.host { return true }
        if "[\(entry)]" == address.host { return true }
        if entry.contains("/") { return isInside(entry[...], address.host) }
        var name = entry[...]
        if let colon = entry.lastIndex(of: ":"), let port = Int(entry[entry.index(after: colon)...])
        {
            guard port == address.port else { return false }
            name = entry[..<colon]
        }
        if name.hasPrefix("*.") { name = name.dropFirst() }
        if name.hasPrefix(".") { name = name.dropFirst() }
        guard !name.isEmpty else { return false }
        return address.host == name || address.host.hasSuffix(".\(name)")
    }

    private func isInside(_ network: Substring, _ host: String) -> Bool {
        let halves = network.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let bits = Int(halves[1]), (0...32).contains(bits),
            let base = Self.number(halves[0]), let address = Self.number(host[...])
        else { return false }
        let mask: UInt32 = bits == 0 ? 0 : ~0 << UInt32(32 - bits)
        return base & mask == address & mask
    }

    private static func number(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part) else { return nil }
            number = number << 8 | UInt32(byte)
        }
        return number
    }
}
