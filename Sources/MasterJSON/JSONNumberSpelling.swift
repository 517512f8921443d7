/// A number split into sign, digits, fraction and exponent, as in JSON and YAML's core schema.
struct JSONNumberSpelling {
    /// The maximum number of digits with a prefix (`0x`, `0o`). Since these are converted at load,
    /// longer ones are not accepted as numbers, which bounds the time.
    static let maximumPrefixedDigits = 1024

    private enum Form {
        case decimal(whole: ArraySlice<UInt8>, fraction: ArraySlice<UInt8>?, exponent: String)
        /// Decimal digits of a number that was written with a prefix.
        case prefixed(String)
        case special(Double)
    }

    private let text: String
    private var sign: UInt8?
    private var form: Form

    /// Parses a number; `nil` if the string is not one.
    init?(_ text: String) {
        self.text = text
        var bytes = Array(text.utf8)[...]
        if let form = Self.prefixed(bytes) {
            self.form = form
            return
        }
        if let first = bytes.first, first == UInt8(ascii: "+") || first == UInt8(ascii: "-") {
            sign = first
            bytes.removeFirst()
        }
        guard let form = Self.special(bytes, sign: sign) ?? Self.decimal(bytes) else { return nil }
        self.form = form
    }

    /// The representation of this spelling in a number.
    var storage: JSONNumber.Storage {
        guard case .decimal(let whole, let fraction, let exponent) = form,
            sign != UInt8(ascii: "+"),
            !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0"),
            fraction?.isEmpty != true
        else { return .yaml(text) }
        let isInteger = fraction == nil && exponent.isEmpty
        if isInteger, text != "-0", let value = Int(text) { return .integer(value) }
        return .json(text)
    }

    /// The JSON spelling, or `nil` if there is none.
    var json: String? {
        let minus = sign == UInt8(ascii: "-") ? "-" : ""
        switch form {
        case .special: return nil
        case .prefixed(let digits): return minus + digits
        case .decimal(let whole, let fraction, let exponent):
            let significant = whole.drop { $0 == UInt8(ascii: "0") }
            var text = minus
            text += significant.isEmpty ? "0" : String(decoding: significant, as: UTF8.self)
            if let fraction {
                text += "."
                text += fraction.isEmpty ? "0" : String(decoding: fraction, as: UTF8.self)
            }
            return text + exponent
        }
    }

    /// Infinity or NaN.
    var special: Double? {
        guard case .special(let value) = form else { return nil }
        return value
    }

    private static func special(_ bytes: ArraySlice<UInt8>, sign: UInt8?) -> Form? {
        switch String(decoding: bytes.prefix(5), as: UTF8.self) {
        case ".inf", ".Inf", ".INF":
            .special(sign == UInt8(ascii: "-") ? -.infinity : .infinity)
        case ".nan", ".NaN", ".NAN":
            sign == nil ? .special(.nan) : nil
        default: nil
        }
    }

    private static func prefixed(_ bytes: ArraySlice<UInt8>) -> Form? {
        let radix: UInt32
        switch String(decoding: bytes.prefix(2), as: UTF8.self) {
        case "0x": radix = 16
        case "0o": radix = 8
        default: return nil
        }
        let digits = bytes.dropFirst(2)
        guard !digits.isEmpty, digits.count <= maximumPrefixedDigits else { return nil }
        var values: [UInt32] = []
        for byte in digits {
            guard let value = Character(Unicode.Scalar(byte)).hexDigitValue, value < radix else {
                return nil
            }
            values.append(UInt32(value))
        }
        return .prefixed(JSONDecimal.digits(of: values, radix: radix))
    }

    private static func decimal(_ bytes: ArraySlice<UInt8>) -> Form? {
        let whole = bytes.prefix(while: isDigit)
        var rest = bytes[whole.endIndex...]
        var fraction: ArraySlice<UInt8>?
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(1 + (fraction?.count ?? 0))
        }
        guard !whole.isEmpty || fraction?.isEmpty == false else { return nil }
        guard let mark = rest.first else {
            return .decimal(whole: whole, fraction: fraction, exponent: "")
        }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") else { return nil }
        var digits = rest.dropFirst()
        if digits.first == UInt8(ascii: "+") || digits.first == UInt8(ascii: "-") {
            digits.removeFirst()
        }
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        let exponent = String(decoding: rest, as: UTF8.self)
        return .decimal(whole: whole, fraction: fraction, exponent: exponent)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }
}
