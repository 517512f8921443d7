/// Replaces the values of secrets by their names in angle brackets: `<token>`.
///
/// A value is found as it is, and as it looks escaped in JSON, percent- or form-encoded in a URL,
/// or in base64, alone or inside a longer text such as `user:secret`. Of a value of several lines
/// each longer line is found alone, too. Where two values overlap, all of both is replaced. A value
/// that is blank masks nothing.
public struct SecretMask: Sendable {
    private let patterns: SecretPatterns

    /// Makes a mask; of two names with the same value the first one is shown.
    public init(_ secrets: [(name: String, value: String)]) {
        patterns = SecretPatterns(secrets)
    }

    /// Whether there is nothing to replace.
    public var isEmpty: Bool {
        patterns.isEmpty
    }

    /// The text with every secret replaced.
    public func apply(to text: String) -> String {
        guard !isEmpty else { return text }
        return masked(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    /// The bytes with every secret replaced.
    public func apply(to bytes: [UInt8]) -> [UInt8] {
        guard !isEmpty else { return bytes }
        return masked(bytes) ?? bytes
    }

    /// The value with every secret replaced in its keys, texts and numbers, at any depth.
    ///
    /// A number that holds a secret becomes a text.
    public func apply(to value: JSONValue) -> JSONValue {
        guard !isEmpty else { return value }
        switch value {
        case .null, .bool: return value
        case .number(let number):
            let text = apply(to: number.spelling)
            return text == number.spelling ? value : .string(text)
        case .string(let text): return .string(apply(to: text))
        case .array(let array): return .array(array.map { apply(to: $0) })
        case .object(let object): return .object(apply(to: object))
        }
    }

    /// The object with every secret replaced in its keys and values, at any depth.
    public func apply(to object: JSONObject) -> JSONObject {
        guard !isEmpty else { return object }
        return JSONObject(object.lazy.map { (apply(to: $0.key), apply(to: $0.value)) })
    }

    /// Begins to mask output that comes in pieces.
    public func stream() -> Stream {
        Stream(patterns)
    }

    /// The bytes with every secret replaced, or `nil` if they hold none.
    private func masked(_ bytes: [UInt8]) -> [UInt8]? {
        guard patterns.mayOccur(in: bytes) else { return nil }
        var stream = stream()
        var masked = stream.process(bytes[...])
        masked += stream.finish()
        return masked
    }
}
