/// An ordered list of header fields.
///
/// Names are case-insensitive, and duplicates are kept.
///
/// The list accepts any text. `validate()` reports what cannot be sent, and `HTTPClient` calls it
/// before sending: a line break in a value is an error, never a second header.
public struct HTTPHeaders: Sendable, Hashable {
    private var fields: [HTTPPair]

    /// Creates an empty list.
    public init() {
        fields = []
    }

    /// Creates a list of fields, keeping order and duplicates.
    public init(_ fields: some Sequence<HTTPPair>) {
        self.fields = Array(fields)
    }

    /// Creates a list from names and values, keeping order and duplicates.
    public init(_ fields: some Sequence<(String, String)>) {
        self.fields = fields.map { HTTPPair($0.0, $0.1) }
    }

    /// The first value with a name; setting it replaces all fields with that name, `nil` removes
    /// them.
    public subscript(name: String) -> String? {
        get { fields.first { HTTPSyntax.isSameName($0.name, name) }?.value }
        set {
            guard let newValue else { return remove(name) }
            set(name, newValue)
        }
    }

    /// All values with a name, in order.
    public func values(_ name: String) -> [String] {
        fields.filter { HTTPSyntax.isSameName($0.name, name) }.map(\.value)
    }

    /// Whether there is a field with the name.
    public func contains(_ name: String) -> Bool {
        fields.contains { HTTPSyntax.isSameName($0.name, name) }
    }

    /// Appends a field, keeping existing ones with the same name.
    public mutating func add(_ name: String, _ value: String) {
        fields.append(HTTPPair(name, value))
    }

    /// Replaces all fields with the name by one, in the position of the first.
    public mutating func set(_ name: String, _ value: String) {
        guard let first = fields.firstIndex(where: { HTTPSyntax.isSameName($0.name, name) }) else {
            return add(name, value)
        }
        fields[first] = HTTPPair(name, value)
        let rest = fields[(first + 1)...].filter { !HTTPSyntax.isSameName($0.name, name) }
        fields.replaceSubrange((first + 1)..., with: rest)
    }

    /// Removes all fields with the name.
    public mutating func remove(_ name: String) {
        fields.removeAll { HTTPSyntax.isSameName($0.name, name) }
    }

    /// Returns these fields merged with another list, whose fields replace those with the same
    /// name.
    public func merging(_ other: HTTPHeaders) -> HTTPHeaders {
        if other.isEmpty { return self }
        if isEmpty { return other }
        return HTTPHeaders(fields.filter { !other.contains($0.name) } + other.fields)
    }

    /// Checks that all names are tokens and that no value contains a line break or control
    /// character.
    ///
    /// - Throws: `HTTPError` with the code `invalidHeader`, which includes the name but not the
    ///   value.
    public func validate() throws(HTTPError) {
        for field in fields {
            if !HTTPSyntax.isToken(field.name) { throw .invalidHeader(name: field.name) }
            if !HTTPSyntax.isHeaderValue(field.value) { throw .invalidHeader(valueOf: field.name) }
        }
    }
}

extension HTTPHeaders: RandomAccessCollection {
    /// The position of the first field.
    public var startIndex: Int { fields.startIndex }
    /// The position after the last field.
    public var endIndex: Int { fields.endIndex }

    /// The field at a position.
    public subscript(position: Int) -> HTTPPair { fields[position] }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    /// Creates a list from names and values, keeping order and duplicates.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }
}

extension HTTPHeaders {
    /// Parses the headers of a message, skipping its first line.
    ///
    /// Folded lines are joined with a space; lines without a colon are skipped.
    init(head: [UInt8]) {
        var fields: [HTTPPair] = []
        fields.reserveCapacity(8)
        var start = (head.firstIndex(of: 0x0A) ?? head.endIndex - 1) + 1
        while start < head.endIndex {
            let end = head[start...].firstIndex(of: 0x0A) ?? head.endIndex
            Self.read(head, start..<end, into: &fields)
            start = end + 1
        }
        self.init(fields)
    }

    private static func read(_ head: [UInt8], _ line: Range<Int>, into fields: inout [HTTPPair]) {
        let text = trim(head, line)
        guard !text.isEmpty else { return }
        if isBlank(head[line.lowerBound]) {
            guard !fields.isEmpty else { return }
            fields[fields.count - 1].value += " " + HTTPSyntax.text(head[text])
        } else if let colon = head[text].firstIndex(of: UInt8(ascii: ":")) {
            let name = trim(head, text.lowerBound..<colon)
            let value = trim(head, (colon + 1)..<text.upperBound)
            fields.append(HTTPPair(HTTPSyntax.text(head[name]), HTTPSyntax.text(head[value])))
        }
    }

    private static func trim(_ head: [UInt8], _ range: Range<Int>) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper, isBlank(head[lower]) { lower += 1 }
        while lower < upper, isBlank(head[upper - 1]) { upper -= 1 }
        return lower..<upper
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0D
    }
}

/// Characters allowed in the parts of a request (RFC 9110).
enum HTTPSyntax {
    /// Whether the text is a token, such as the name of a method or header.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(isTokenByte)
    }

    /// Whether the text is a valid header value, without line breaks and control characters except
    /// tab.
    static func isHeaderValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    /// Whether two names are equal, ignoring ASCII case.
    static func isSameName(_ one: String, _ other: String) -> Bool {
        let (left, right) = (one.utf8, other.utf8)
        return left.count == right.count && left.elementsEqual(right) { lowered($0) == lowered($1) }
    }

    /// The byte in lower case if it is an ASCII letter.
    static func lowered(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Whether the byte is an ASCII letter or digit.
    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// Decodes received bytes as UTF-8, or Latin-1 if they are not valid UTF-8.
    static func text(_ bytes: some Sequence<UInt8> & Collection<UInt8>) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        if isAlphanumeric(byte) { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            return true
        default: return false
        }
    }
}
