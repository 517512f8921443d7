public import MasterHTTP

extension HTTPAddress: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "an address such as \(example)" }

    /// Reads an absolute URL that begins with `http://` or `https://`.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HTTPAddress? {
        if case .sequence = node.kind {
            return decoder.error(
                "\(decoder.subject) takes one address, not a list; write one entry for each "
                    + "address", at: node.range)
        }
        guard let text = String.decode(node, with: decoder) else { return nil }
        do {
            return try HTTPAddress(text)
        } catch {
            return decoder.error("\(decoder.subject) \(error.reason)", at: node.range)
        }
    }
}

/// A value whose computed strings are URLs: values inserted by `!Interpolate` are encoded so that
/// they cannot extend beyond their component of the URL.
public protocol AddressValue: SettingValue {}

extension HTTPAddress: AddressValue {}

extension Optional: AddressValue where Wrapped: AddressValue {}

/// A URL composed of literal text and inserted values.
///
/// A value at the very beginning is a URL, or the start of one, and is not encoded. Escapes such as
/// `%2F` in a value are kept, so that encoded values are not encoded twice.
struct AddressText {
    /// The components of a URL that share an encoding.
    enum Part: CaseIterable {
        case user
        case path
        case query
        case queryValue
        case fragment

        /// The characters left unencoded in addition to letters, digits and `-._~`.
        fileprivate var kept: String {
            switch self {
            case .user: "~!$&'()*+,;=:"
            case .path: "~!$&'()*+,;=:@/"
            case .query, .fragment: "~!$&'()*+,;=:@/?"
            case .queryValue: "~!$'()*,;=:@/?"
            }
        }

        /// A value as encoded in this component.
        func encoded(_ value: String) -> String {
            Self.encoded(value, keeping: kept, andEscapes: true)
        }

        fileprivate static func encoded(
            _ value: String, keeping kept: String, andEscapes keepsEscapes: Bool
        ) -> String {
            let bytes = Array(value.utf8)
            let kept = Set(kept.utf8)
            var encoded: [UInt8] = []
            for (index, byte) in bytes.enumerated() {
                let isEscape =
                    keepsEscapes && byte == UInt8(ascii: "%") && index + 2 < bytes.count
                    && bytes[index + 1].isHexDigit && bytes[index + 2].isHexDigit
                if isEscape || ByteEncodings.isUnreserved(byte) || kept.contains(byte) {
                    encoded.append(byte)
                } else {
                    encoded.append(UInt8(ascii: "%"))
                    encoded += ByteEncodings.digits(of: byte).map { digit in
                        digit >= UInt8(ascii: "a") ? digit - 32 : digit
                    }
                }
            }
            return String(decoding: encoded, as: UTF8.self)
        }
    }

    /// A value with everything except letters, digits and `-._~` encoded.
    static func urlEncoded(_ value: String) -> String {
        Part.encoded(value, keeping: "~", andEscapes: false)
    }

    private let pieces: [InterpolationFormat.Piece]
    private var text = ""
    /// The ranges of inserted values in the text, in UTF-8 bytes.
    private var inserted: [Range<Int>] = []

    /// Joins pieces into a URL.
    ///
    /// - Throws: If a value is not allowed at its position, such as `/` in a host.
    static func url(of pieces: [InterpolationFormat.Piece]) throws(RenderError) -> String {
        var address = AddressText(pieces: pieces.filter { !$0.text.isEmpty })
        for index in address.pieces.indices { try address.append(index) }
        try address.checkSegments()
        return address.text
    }

    private init(pieces: [InterpolationFormat.Piece]) {
        self.pieces = pieces
    }

    private mutating func append(_ index: Int) throws(RenderError) {
        let piece = pieces[index]
        guard piece.isInserted, index > 0 else {
            text += piece.text
            return
        }
        guard !piece.text.utf8.contains(0) else {
            throw RenderError("a value that is inserted into a URL contains a NUL character")
        }
        let start = text.utf8.count
        if let part = part(of: index) {
            text += part.encoded(piece.text)
        } else {
            try Self.checkHost(piece.text)
            text += piece.text
        }
        inserted.append(start..<text.utf8.count)
    }

    /// The component of the URL in which the text ends, or `nil` for scheme, host and port.
    private func part(of index: Int) -> Part? {
        guard let rest = behindScheme, let end = rest.firstIndex(where: { "/?#".contains($0) })
        else { return isUser(index) ? .user : nil }
        let behindHost = rest[end...]
        if behindHost.contains("#") { return .fragment }
        guard let query = behindHost.firstIndex(of: "?") else { return .path }
        let parameter = behindHost[query...].split(
            separator: "&", omittingEmptySubsequences: false
        ).last
        return parameter?.contains("=") == true ? .queryValue : .query
    }

    private var behindScheme: Substring? {
        text.firstRange(of: "://").map { text[$0.upperBound...] }
    }

    /// Whether the value is followed by a literal `@` before the end of the host.
    private func isUser(_ index: Int) -> Bool {
        guard behindScheme != nil else { return false }
        for piece in pieces[(index + 1)...] where !piece.isInserted {
            let rest = piece.text.prefix { !"/?#".contains($0) }
            if rest.contains("@") { return true }
            if rest.count < piece.text.count { return false }
        }
        return false
    }

    private static func checkHost(_ value: String) throws(RenderError) {
        let stranger = value.unicodeScalars.first { scalar in
            scalar.isASCII && !scalar.properties.isAlphabetic
                && !"0123456789-._~:[]".unicodeScalars.contains(scalar)
        }
        guard let stranger else { return }
        throw RenderError(
            "a value that is inserted into the host of a URL has \(Self.quoted(stranger)) in it; "
                + "write what follows the host into the text, or begin the text with the value")
    }

    private static func quoted(_ scalar: Unicode.Scalar) -> String {
        scalar.value > 0x20 && scalar.value != 0x7F
            ? "'\(scalar)'" : "a space or a control character"
    }

    /// Rejects `.` and `..` as a path segment that a value creates or is part of.
    private func checkSegments() throws(RenderError) {
        let bytes = Array(text.utf8)
        guard let scheme = text.firstRange(of: "://")?.upperBound else { return }
        let path = text[scheme...].prefix { !"?#".contains($0) }
        let end = text.utf8.distance(from: text.startIndex, to: path.endIndex)
        for range in inserted where range.lowerBound < end && !range.isEmpty {
            let slash = UInt8(ascii: "/")
            let start = bytes[..<range.lowerBound].lastIndex(of: slash).map { $0 + 1 } ?? 0
            let next = bytes[range.upperBound..<max(end, range.upperBound)].firstIndex(of: slash)
            let segments = bytes[start..<(next ?? max(end, range.upperBound))].split(
                separator: slash)
            for segment in segments {
                let dots = String(decoding: segment, as: UTF8.self).lowercased()
                    .replacing("%2e", with: ".")
                guard dots == "." || dots == ".." else { continue }
                throw RenderError(
                    "a value that is inserted into the path of a URL makes a segment '\(dots)', "
                        + "which leads to another path; correct the value")
            }
        }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x46).contains(self)
            || (0x61...0x66).contains(self)
    }
}
