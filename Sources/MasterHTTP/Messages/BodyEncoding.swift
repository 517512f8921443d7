/// Encodes `multipart/form-data` byte for byte like Python's `requests`, except for the boundary.
public struct MultipartEncoding: Sendable {
    let boundary: String

    /// Creates an encoding with a boundary of sixteen random bytes.
    public init() {
        var random = SystemRandomNumberGenerator()
        boundary = Self.hex(random.next()) + Self.hex(random.next())
    }

    /// The content type, including the boundary.
    public var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// Encodes parts in order.
    ///
    /// - Throws: `HTTPError` with the code `invalidHeader` if a header of a part cannot be sent.
    func encode(_ parts: [HTTPPart]) throws(HTTPError) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(parts.reduce(64) { $0 + $1.content.count + 256 })
        for part in parts {
            encoded.append(contentsOf: try beginning(of: part))
            encoded.append(contentsOf: Self.endOfPart)
        }
        encoded.append(contentsOf: end)
        return encoded
    }

    /// Encodes the boundary before a part, its headers, and its content; more content may follow.
    ///
    /// - Throws: `HTTPError` with the code `invalidHeader` if a header of the part cannot be sent.
    public func beginning(of part: HTTPPart) throws(HTTPError) -> [UInt8] {
        Array("--\(boundary)\r\n\(try head(of: part))".utf8) + part.content
    }

    /// The line break after the content of each part.
    public static let endOfPart = Array("\r\n".utf8)

    /// The boundary after the last part.
    public var end: [UInt8] { Array("--\(boundary)--\r\n".utf8) }

    private func head(of part: HTTPPart) throws(HTTPError) -> String {
        var head = "Content-Disposition: form-data; name=\"\(Self.escape(part.name))\""
        if let filename = part.filename { head += "; filename=\"\(Self.escape(filename))\"" }
        head += "\r\n"
        if let type = part.contentType {
            guard HTTPSyntax.isHeaderValue(type) else {
                throw .invalidHeader(valueOf: "Content-Type")
            }
            head += "Content-Type: \(type)\r\n"
        }
        try part.headers.validate()
        for header in part.headers { head += "\(header.name): \(header.value)\r\n" }
        return head + "\r\n"
    }

    /// Escapes a quoted name as browsers do.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped += "%22"
            case "\r": escaped += "%0D"
            case "\n": escaped += "%0A"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Encodes `application/x-www-form-urlencoded` byte for byte like Python's `requests`.
enum FormEncoding {
    static let contentType = "application/x-www-form-urlencoded"

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Encodes pairs in order.
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

    /// Appends pairs to the query of a URL, before its fragment.
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
