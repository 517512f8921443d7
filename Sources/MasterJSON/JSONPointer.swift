/// A path into a JSON value, as defined by RFC 6901: `/builds/0/state`.
public struct JSONPointer: Sendable, Hashable {
    /// The keys and indices of the path, unescaped.
    public let tokens: [String]

    /// Creates a pointer from unescaped keys and indices.
    public init(tokens: [String]) {
        self.tokens = tokens
    }

    /// Parses a pointer: empty for the whole value, otherwise starting with `/`.
    public init(parsing text: String) throws(JSONPointerError) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else {
            throw JSONPointerError(
                "the JSON pointer '\(text)' must begin with '/'; \(Self.suggestion(for: text))")
        }
        var tokens: [String] = []
        // Splits bytes, since a combining mark would form one character with the slash before it.
        let slash = UInt8(ascii: "/")
        for token in text.utf8.dropFirst().split(
            separator: slash, omittingEmptySubsequences: false)
        {
            tokens.append(try Self.unescape(Substring(token)))
        }
        self.tokens = tokens
    }

    /// Names the pointer equivalent to `$.data[0].id`, `.a.b`, `data.id` or `$`.
    private static func suggestion(for text: String) -> String {
        var path = text[...]
        if path.hasPrefix("$") { path = path.dropFirst() }
        if path.contains("*") || path.contains("..") {
            return "it names one value, so write a key or an index, as in '/data/0/id'"
        }
        let parts = path.split { ".[]".contains($0) }.map { part in
            part.filter { $0 != "\"" && $0 != "'" }
        }
        if parts.isEmpty { return "write '' for the whole value" }
        return "write '/\(parts.joined(separator: "/"))'"
    }

    private static func unescape(_ token: Substring) throws(JSONPointerError) -> String {
        guard token.utf8.contains(UInt8(ascii: "~")) else { return String(token) }
        var text = ""
        var isEscape = false
        for scalar in token.unicodeScalars {
            switch (isEscape, scalar) {
            case (true, "0"): text += "~"
            case (true, "1"): text += "/"
            case (true, _): throw JSONPointerError.wrongEscape(token)
            case (false, "~"): break
            case (false, _): text.unicodeScalars.append(scalar)
            }
            isEscape = !isEscape && scalar == "~"
        }
        guard !isEscape else { throw JSONPointerError.wrongEscape(token) }
        return text
    }
}

extension JSONPointer: CustomStringConvertible {
    /// The pointer as spelled in RFC 6901.
    public var description: String {
        tokens.map { token in
            var text = "/"
            for scalar in token.unicodeScalars {
                switch scalar {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(scalar)
                }
            }
            return text
        }.joined()
    }
}

/// A syntax error in a JSON pointer.
public struct JSONPointerError: Error, Hashable, CustomStringConvertible {
    /// One sentence: what is wrong and how to fix it.
    public let message: String

    init(_ message: String) {
        self.message = message
    }

    static func wrongEscape(_ token: Substring) -> JSONPointerError {
        JSONPointerError(
            "'\(token)' in a JSON pointer has a '~' without 0 or 1; write ~0 for ~ and ~1 for /")
    }

    /// The message.
    public var description: String { message }
}

extension JSONValue {
    /// The value at a pointer, or `nil` if there is none.
    public func at(_ pointer: JSONPointer) -> JSONValue? {
        var value = self
        for token in pointer.tokens {
            guard let next = value.child(token) else { return nil }
            value = next
        }
        return value
    }

    /// The value at a pointer, or `nil` if there is none.
    public func at(pointer text: String) throws(JSONPointerError) -> JSONValue? {
        at(try JSONPointer(parsing: text))
    }

    private func child(_ token: String) -> JSONValue? {
        switch self {
        case .object(let object): return object[token]
        case .array:
            guard let index = Int(token), String(index) == token else { return nil }
            return self[index]
        default: return nil
        }
    }
}
