/// A string with `%(…)s` expressions, parsed once and rendered for each build.
///
/// An expression is `%(selector:name)s` or `%(selector:name:modifier)s`. The selectors are `prop`,
/// `src` (with codebase and attribute), `kw`, `secret` and `worker`; the modifiers `:-D`, `:~D`,
/// `:+D`, `:?|T|F` and `:#?|T|F`, in which `D`, `T` and `F` are formats as well. Before these, or
/// alone, `:urlencode` encodes the value for any part of a URL. `%%` is a percent sign. A format
/// with arguments has `%s` for each of them, and no other expressions.
package struct InterpolationFormat: Sendable, Hashable {
    /// The maximum nesting depth of expressions.
    package static let maximumDepth = 64
    /// The maximum size of the rendered string, in bytes, not counting its last value.
    package static let maximumLength = 16 << 20

    enum Part: Sendable, Hashable {
        case text(String)
        case positional(Int)
        indirect case expression(InterpolationReference, Modifier?, isURLEncoded: Bool)
    }

    /// A part of a rendered string: from the format, or a value.
    struct Piece {
        let text: String
        let isInserted: Bool
    }

    /// A modifier, which determines what replaces an expression.
    enum Modifier: Sendable, Hashable {
        /// `:-`: the value, or the parts if it is missing.
        case valueIfPresent(otherwise: [Part])
        /// `:~`: the value, or the parts if it is missing, null or false.
        case valueIfTrue(otherwise: [Part])
        /// `:+`: the parts if there is a value, even if it is null.
        case replacement([Part])
        /// `:?`: a choice depending on whether there is a value, even if it is null.
        case ifPresent([Part], otherwise: [Part])
        /// `:#?`: a choice depending on whether the value is true.
        case ifTrue([Part], otherwise: [Part])
    }

    /// The string from which the format was parsed.
    package let text: String

    /// All references in the format, in the order of the text.
    package let references: [InterpolationUse]

    let parts: [Part]

    /// Parses a string.
    ///
    /// - Parameters:
    ///   - text: The format.
    ///   - positionalCount: The number of arguments for the `%s` of the format, or `nil` if the
    ///     format
    ///     has none and uses names.
    /// - Throws: All syntax errors.
    package init(parsing text: String, positionalCount: Int? = nil) throws(InterpolationErrors) {
        var parser = InterpolationParser(text, positionalCount: positionalCount)
        let parts = parser.parseFormat()
        guard parser.errors.isEmpty else { throw InterpolationErrors(errors: parser.errors) }
        self.text = text
        self.parts = parts
        references = parser.uses
    }
}

extension InterpolationFormat {
    /// Renders the format.
    ///
    /// The closure returns the value of a reference, or `nil` if it is missing. It is called only
    /// for values that are needed: an alternative that is not chosen is not rendered. A missing
    /// secret, argument or keyword is an error, except that a keyword may have a modifier that
    /// provides an alternative; inserted values are never parsed again.
    package func render(lookup: (InterpolationReference) throws -> JSONValue?) throws -> String {
        try pieces { reference, _ in try lookup(reference) }.map(\.text).joined()
    }

    /// Returns the value of a reference, given whether it is at the start of the string.
    typealias Lookup = (InterpolationReference, _ isFirst: Bool) throws -> JSONValue?

    /// Renders the format, keeping inserted values separate.
    func pieces(lookup: Lookup) throws -> [Piece] {
        var output = Output()
        try output.render(parts, lookup)
        return output.pieces
    }

    private struct Output {
        private(set) var pieces: [Piece] = []
        private var byteCount = 0

        mutating func render(_ parts: [Part], _ lookup: Lookup) throws {
            for part in parts {
                guard byteCount <= maximumLength else {
                    throw RenderError(
                        "the text that %(…)s makes is longer than \(maximumLength >> 20) MiB")
                }
                switch part {
                case .text(let text):
                    append(text, isInserted: false)
                case .positional(let index):
                    append(
                        try required(.positional(index), lookup).text ?? "null", isInserted: true)
                case .expression(let reference, let modifier, let isURLEncoded):
                    switch choose(modifier, for: try find(reference, modifier, lookup)) {
                    case .value(let value):
                        let text = value?.text ?? ""
                        append(isURLEncoded ? AddressText.urlEncoded(text) : text, isInserted: true)
                    case .parts(let parts):
                        try render(parts, lookup)
                    }
                }
            }
        }

        private mutating func append(_ text: String, isInserted: Bool) {
            byteCount += text.utf8.count
            pieces.append(Piece(text: text, isInserted: isInserted))
        }

        private func find(
            _ reference: InterpolationReference, _ modifier: Modifier?, _ lookup: Lookup
        ) throws -> JSONValue? {
            switch (reference, modifier) {
            case (.secret, _), (.keyword, nil): try required(reference, lookup)
            default: try lookup(reference, byteCount == 0)
            }
        }

        private func required(
            _ reference: InterpolationReference, _ lookup: Lookup
        ) throws -> JSONValue {
            guard let value = try lookup(reference, byteCount == 0) else {
                throw InterpolationMissingValue(reference: reference)
            }
            return value
        }
    }

    /// What replaces an expression.
    private enum Choice {
        case value(JSONValue?)
        case parts([Part])
    }

    private static func choose(_ modifier: Modifier?, for value: JSONValue?) -> Choice {
        let isTruthy = value?.isTruthy ?? false
        switch modifier {
        case nil:
            return .value(value)
        case .valueIfPresent(let parts):
            return value == nil ? .parts(parts) : .value(value)
        case .valueIfTrue(let parts):
            return isTruthy ? .value(value) : .parts(parts)
        case .replacement(let parts):
            return .parts(value == nil ? [] : parts)
        case .ifPresent(let parts, let otherwise):
            return .parts(value == nil ? otherwise : parts)
        case .ifTrue(let parts, let otherwise):
            return .parts(isTruthy ? parts : otherwise)
        }
    }
}

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
            let part = bytes[start..<(next ?? max(end, range.upperBound))]
            // Servers may decode separators before they look at the segments.
            let decoded = String(decoding: part, as: UTF8.self).lowercased()
                .replacing("%2e", with: ".").replacing("%2f", with: "/").replacing("%5c", with: "/")
            for dots in decoded.split(separator: "/") {
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
