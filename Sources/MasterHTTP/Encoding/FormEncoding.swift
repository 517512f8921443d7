/// `application/x-www-form-urlencoded`, to the byte as Python's `requests` writes it.
enum FormEncoding {
    /// The content type of an encoded form.
    static let contentType = "application/x-www-form-urlencoded"

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// The pairs, encoded, in their order.
    static func encode(_ pairs: [HTTPPair]) -> [UInt8] {
        var encoded: [UInt8] = []
        for pair in pairs {
            if !encoded.isEmpty { encoded.append(UInt8(ascii: "&")) }
            append(pair.name, to: &encoded)
            encoded.append(UInt8(ascii: "="))
            append(pair.value, to: &encoded)
        }
        return encoded
    }

    /// The address with the pairs appended to its query, before its fragment.
    static func append(_ pairs: [HTTPPair], to url: String) -> String {
        guard !pairs.isEmpty else { return url }
        let fragment = url.utf8.firstIndex(of: UInt8(ascii: "#")) ?? url.endIndex
        var result = String(url[..<fragment])
        switch result.utf8.firstIndex(of: UInt8(ascii: "?")) {
        case nil: result += "?"
        case let mark? where result.utf8.index(after: mark) == result.endIndex: break
        case _?: result += "&"
        }
        result += String(decoding: encode(pairs), as: UTF8.self)
        result += url[fragment...]
        return result
    }

    private static func append(_ text: String, to encoded: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case _ where HTTPSyntax.isAlphanumeric(byte), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                encoded.append(byte)
            case UInt8(ascii: " "):
                encoded.append(UInt8(ascii: "+"))
            default:
                encoded.append(UInt8(ascii: "%"))
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
    }
}
