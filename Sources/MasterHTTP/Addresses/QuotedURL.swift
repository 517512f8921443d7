extension String {
    /// A URL, or the end of one, with characters that are not allowed in URLs (such as braces and
    /// angle brackets) and stray `%` signs escaped after the host, as Python's `requests` does.
    var quotedAsURL: String {
        let bytes = Array(utf8)
        let start = endOfHost
        var quoted: [UInt8] = []
        quoted.reserveCapacity(bytes.count)
        for (index, byte) in bytes.enumerated() {
            if index >= start, Self.needsQuoting(bytes, at: index) {
                quoted.append(UInt8(ascii: "%"))
                quoted += [byte >> 4, byte & 15].map { Array("0123456789ABCDEF".utf8)[Int($0)] }
            } else {
                quoted.append(byte)
            }
        }
        return String(decoding: quoted, as: UTF8.self)
    }

    private static func needsQuoting(_ bytes: [UInt8], at index: Int) -> Bool {
        guard bytes[index] == UInt8(ascii: "%") else {
            return "{}|^`\\\"<>".utf8.contains(bytes[index])
        }
        let digits = bytes[(index + 1)...].prefix(2)
        return digits.count < 2 || !digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    }

    /// Where the path, query or fragment begins; 0 in a relative URL.
    private var endOfHost: Int {
        let start: String.Index
        if let scheme = firstRange(ofASCII: "://"),
            utf8[..<scheme].allSatisfy({ HTTPSyntax.isSchemeByte($0) })
        {
            start = utf8.index(scheme, offsetBy: 3)
        } else if hasPrefix("//") {
            start = utf8.index(startIndex, offsetBy: 2)
        } else {
            return 0
        }
        let end = utf8[start...].firstIndex { "/?#".utf8.contains($0) } ?? endIndex
        return utf8.distance(from: startIndex, to: end)
    }
}
