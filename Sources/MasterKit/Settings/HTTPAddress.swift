/// An absolute address that begins with `http://` or `https://`.
public struct HTTPAddress: SettingValue, Hashable, CustomStringConvertible {
    /// The address as it was written.
    public let text: String

    /// The address as it was written.
    public var description: String { text }

    /// An address.
    public static var shape: String { "an address such as http://127.0.0.1:9980/status" }

    /// Checks an address; `nil` when it is invalid.
    public init?(_ text: String) {
        guard Self.fault(in: text) == nil else { return nil }
        self.text = text
    }

    /// Reads an address and says what is wrong with an invalid one.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HTTPAddress? {
        if case .sequence = node.kind {
            return decoder.error(
                "\(decoder.subject) takes one address, not a list; write one entry for each address",
                at: node.range)
        }
        guard let text = String.decode(node, with: decoder) else { return nil }
        if let fault = fault(in: text) {
            return decoder.error("\(decoder.subject) \(fault)", at: node.range)
        }
        return HTTPAddress(text)
    }

    /// An address without the user and password that may stand before its host.
    public static func withoutUser(_ address: String) -> String {
        guard let start = address.firstRange(of: "://")?.upperBound else { return address }
        let authority = address[start...].prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return address }
        return String(address[..<start] + address[address.index(after: at)...])
    }

    private static func fault(in text: String) -> String? {
        if text.isEmpty { return "is empty; write \(shape)" }
        if text.utf8.count > 8192 { return "is longer than 8,192 bytes" }
        if text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            return "has white space or a control character in it; encode it, a space as %20"
        }
        let lowered = text.lowercased()
        guard lowered.hasPrefix("http://") || lowered.hasPrefix("https://") else {
            return "must begin with http:// or https://; write \(shape)"
        }
        return hostFault(in: text)
    }

    private static func hostFault(in text: String) -> String? {
        let rest = text.drop { $0 != "/" }.dropFirst(2)
        let authority = rest.prefix { !"/?#".contains($0) }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard let (name, port) = nameAndPort(of: host) else {
            return "has '\(host)' for a host; an IPv6 address is written [::1]"
        }
        if name.isEmpty { return "names no host; write \(shape)" }
        guard let port else { return nil }
        let isNumber = port.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard isNumber, let number = Int(port), (1...65535).contains(number) else {
            return "has '\(port)' for a port; a port is a number from 1 to 65535"
        }
        return nil
    }

    /// Splits a host at the colon before its port; `nil` for a broken IPv6 address.
    private static func nameAndPort(of host: Substring) -> (name: Substring, port: Substring?)? {
        guard host.hasPrefix("[") else {
            let name = host.prefix { $0 != ":" }
            return (name, name.count == host.count ? nil : host.dropFirst(name.count + 1))
        }
        guard let end = host.firstIndex(of: "]") else { return nil }
        let address = host[..<end].dropFirst().prefix { $0 != "%" }
        let after = host[host.index(after: end)...]
        guard address.contains(":"), after.isEmpty || after.hasPrefix(":"),
            address.allSatisfy({ $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") })
        else { return nil }
        return (host[...end], after.isEmpty ? nil : after.dropFirst())
    }
}
