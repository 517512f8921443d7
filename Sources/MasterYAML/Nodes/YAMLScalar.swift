/// A scalar: its text and the style it was written in.
public struct YAMLScalar: Sendable, Hashable {
    /// The style of a scalar.
    public enum Style: Sendable, Hashable {
        /// Without quotes.
        case plain
        /// In `'` quotes.
        case singleQuoted
        /// In `"` quotes.
        case doubleQuoted
        /// A block that starts with `|`.
        case literal
        /// A block that starts with `>`.
        case folded
    }

    /// The text without quotes, escapes and line folding; a number keeps its spelling.
    public let value: String
    /// The style it is written in.
    public let style: Style

    /// Creates a scalar.
    public init(_ value: String, style: Style = .plain) {
        self.value = value
        self.style = style
    }

    /// The value in YAML 1.2's core schema; only plain scalars can be other than strings.
    public var resolved: Resolved { style == .plain ? Resolved(plain: value) : .string(value) }
}

extension YAMLScalar {
    /// A value of YAML 1.2's core schema.
    ///
    /// `no`, `yes`, `on`, `off` and dates are strings.
    public enum Resolved: Sendable, Hashable {
        /// Empty, `~` or `null`.
        case null
        /// `true` or `false`.
        case bool(Bool)
        /// An integer: decimal, `0o17` or `0x1F`.
        case int(Int)
        /// A number with a point or an exponent, `.inf`, `.nan`, or an integer too large for `Int`.
        case float(Double)
        /// Everything else.
        case string(String)
    }
}

extension YAMLScalar.Resolved {
    /// Resolves the text of a plain scalar.
    public init(plain text: String) {
        if let word = Self.word(text) {
            self = word
        } else if let number = Self.number(text) {
            self = number
        } else {
            self = .string(text)
        }
    }

    /// The kind of value for messages, as after "is": `a number`, `text`.
    public var kindDescription: String {
        switch self {
        case .null: "empty"
        case .bool: "a boolean"
        case .int: "an integer"
        case .float: "a number"
        case .string: "text"
        }
    }

    private static func word(_ text: String) -> Self? {
        switch text {
        case "", "~", "null", "Null", "NULL": .null
        case "true", "True", "TRUE": .bool(true)
        case "false", "False", "FALSE": .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": .float(.infinity)
        case "-.inf", "-.Inf", "-.INF": .float(-.infinity)
        case ".nan", ".NaN", ".NAN": .float(.nan)
        default: nil
        }
    }

    private static func number(_ text: String) -> Self? {
        var rest = Substring(text).utf8
        guard let first = rest.first, first.isDigit || "+-.".utf8.contains(first) else {
            return nil
        }
        if text.hasPrefix("0o") { return integer(text.dropFirst(2), radix: 8) }
        if text.hasPrefix("0x") { return integer(text.dropFirst(2), radix: 16) }
        if first == UInt8(ascii: "-") || first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if !rest.isEmpty, rest.allSatisfy(\.isDigit) {
            return Int(text).map(Self.int) ?? Double(text).map(Self.float)
        }
        return isFloat(rest) ? Double(text).map(Self.float) : nil
    }

    private static func integer(_ digits: Substring, radix: Int) -> Self? {
        guard !digits.isEmpty else { return nil }
        var sum = 0.0
        for character in digits {
            guard character.isASCII, let digit = character.hexDigitValue, digit < radix else {
                return nil
            }
            sum = sum * Double(radix) + Double(digit)
        }
        return Int(digits, radix: radix).map(Self.int) ?? .float(sum)
    }

    /// Whether unsigned text has the form `( .digits | digits[.digits] )[e[sign]digits]`.
    private static func isFloat(_ text: Substring.UTF8View) -> Bool {
        let whole = text.prefix(while: \.isDigit)
        var rest = text.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            fraction = rest.prefix(while: \.isDigit)
            rest = rest.dropFirst(fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return false }
        guard let mark = rest.first else { return true }
        guard mark | 0x20 == UInt8(ascii: "e") else { return false }
        rest = rest.dropFirst()
        if let sign = rest.first, "+-".utf8.contains(sign) { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(\.isDigit)
    }
}
