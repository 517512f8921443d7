/// A number that keeps its spelling: `1.10` stays `1.10`, and a huge integer keeps its digits.
///
/// In addition to JSON numbers it supports those of YAML's core schema (`0x1F`, `0o17`, `+1`, `.5`,
/// `.inf`, `.nan`). These keep their spelling in text and are written as valid JSON: `31`, `15`,
/// `1`, `0.5`, and `null` for infinities and NaN.
public struct JSONNumber: Sendable {
    enum Storage: Sendable {
        /// An integer in its plain decimal spelling.
        case integer(Int)
        case double(Double)
        /// A spelling that is valid JSON.
        case json(String)
        /// A YAML spelling that is not valid JSON.
        case yaml(String)
    }

    let storage: Storage

    init(storage: Storage) {
        self.storage = storage
    }

    /// Creates an integer.
    public init(_ value: Int) {
        storage = .integer(value)
    }

    /// Creates an integer of any width.
    public init(_ value: some BinaryInteger) {
        if let small = Int(exactly: value) {
            storage = .integer(small)
        } else {
            storage = .json(String(value))
        }
    }

    /// Creates a number with the shortest spelling of a floating-point value.
    public init(_ value: Double) {
        storage = .double(value)
    }

    /// Parses a number in JSON or in YAML's core schema; `nil` if it is neither.
    public init?(spelling: String) {
        guard let storage = JSONNumberSpelling(spelling)?.storage else { return nil }
        self.storage = storage
    }

    /// Not a number (NaN).
    public static let nan = JSONNumber(Double.nan)

    /// Infinity.
    public static let infinity = JSONNumber(Double.infinity)
}

extension JSONNumber {
    /// The number as it was written.
    public var spelling: String {
        switch storage {
        case .integer(let value): String(value)
        case .double(let value) where value.isNaN: ".nan"
        case .double(let value) where value.isInfinite: value < 0 ? "-.inf" : ".inf"
        case .double(let value): value.description
        case .json(let text), .yaml(let text): text
        }
    }

    /// The JSON spelling, or `nil` if there is none: infinities and NaN.
    public var jsonSpelling: String? {
        switch storage {
        case .integer(let value): String(value)
        case .double(let value): value.isFinite ? value.description : nil
        case .json(let text): text
        case .yaml(let text): JSONNumberSpelling(text)?.json
        }
    }

    /// The integer value, if it is integral and fits: `5`, `5.0` and `5e0` are 5.
    public var intValue: Int? {
        switch storage {
        case .integer(let value): value
        case .double(let value): Int(exactly: value)
        case .json, .yaml: decimal?.intValue
        }
    }

    /// The nearest floating-point number; numbers that are too large become infinite.
    public var doubleValue: Double {
        switch storage {
        case .integer(let value): return Double(value)
        case .double(let value): return value
        case .json(let text): return Double(text) ?? .nan
        case .yaml(let text):
            let spelling = JSONNumberSpelling(text)
            return spelling?.json.flatMap(Double.init) ?? spelling?.special ?? .nan
        }
    }

    /// Whether the number can be expressed in JSON.
    public var isFinite: Bool {
        jsonSpelling != nil
    }

    /// The exact value, or `nil` for infinities and NaN.
    var decimal: JSONDecimal? {
        jsonSpelling.map(JSONDecimal.init)
    }
}

extension JSONNumber: Hashable {
    /// Whether both have exactly the same value, however they are spelled.
    public static func == (left: JSONNumber, right: JSONNumber) -> Bool {
        if case .integer(let a) = left.storage, case .integer(let b) = right.storage {
            return a == b
        }
        guard let a = left.decimal, let b = right.decimal else {
            return !left.isFinite && !right.isFinite
                && left.doubleValue.description == right.doubleValue.description
        }
        return a == b
    }

    /// Hashes the nearest floating-point number.
    public func hash(into hasher: inout Hasher) {
        let value = doubleValue
        hasher.combine(value.isNaN ? 0 : value)
    }
}

extension JSONNumber: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    /// Creates an integer.
    public init(integerLiteral value: Int) {
        self.init(value)
    }

    /// Creates a floating-point number.
    public init(floatLiteral value: Double) {
        self.init(value)
    }
}

extension JSONNumber: CustomStringConvertible {
    /// The number as it was written.
    public var description: String { spelling }
}

/// The exact value of a decimal number, in a normalized form: `0.digits × 10^exponent`.
struct JSONDecimal: Hashable {
    private let isNegative: Bool
    /// The digits without leading and trailing zeros; empty for zero.
    private let digits: [UInt8]
    private let exponent: Int

    /// Creates the value of a number in JSON spelling.
    init(_ json: String) {
        var bytes = Array(json.utf8)[...]
        let hasMinus = bytes.first == UInt8(ascii: "-")
        if hasMinus { bytes.removeFirst() }
        let mantissa = bytes.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        let whole = mantissa.prefix { $0 != UInt8(ascii: ".") }
        var all = Array(whole)
        all += mantissa[whole.endIndex...].dropFirst()
        let leadingZeros = all.prefix { $0 == UInt8(ascii: "0") }.count
        var significant = all[leadingZeros...]
        while significant.last == UInt8(ascii: "0") { significant.removeLast() }
        digits = Array(significant)
        guard !digits.isEmpty else {
            isNegative = false
            exponent = 0
            return
        }
        isNegative = hasMinus
        let written = Self.clamped(bytes[mantissa.endIndex...].dropFirst())
        exponent = written + whole.count - leadingZeros
    }

    /// The value as an integer, if it is one and fits.
    var intValue: Int? {
        guard !digits.isEmpty else { return 0 }
        guard exponent >= digits.count, exponent <= 19 else { return nil }
        let zeros = String(repeating: "0", count: exponent - digits.count)
        let magnitude = String(decoding: digits, as: UTF8.self) + zeros
        return Int(isNegative ? "-" + magnitude : magnitude)
    }

    /// Parses an exponent; values beyond ±10^17 are clamped, which makes no difference for numbers
    /// short enough to occur.
    private static func clamped(_ text: ArraySlice<UInt8>) -> Int {
        guard !text.isEmpty else { return 0 }
        let limit = 100_000_000_000_000_000
        let isNegative = text.first == UInt8(ascii: "-")
        var value = 0
        for byte in text where byte >= UInt8(ascii: "0") {
            value = min(value * 10 + Int(byte - UInt8(ascii: "0")), limit)
        }
        return isNegative ? -value : value
    }

    /// The decimal digits of an integer given by its digits in another radix.
    static func digits(of values: [UInt32], radix: UInt32) -> String {
        var limbs: [UInt64] = [0]  // base 10^9, lowest first
        for value in values {
            var carry = UInt64(value)
            for index in limbs.indices {
                let product = limbs[index] * UInt64(radix) + carry
                limbs[index] = product % 1_000_000_000
                carry = product / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
        }
        var text = ""
        for limb in limbs.reversed() {
            let part = String(limb)
            text += text.isEmpty ? part : String(repeating: "0", count: 9 - part.count) + part
        }
        return text
    }
}

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
