/// A number that keeps its spelling: `1.10` stays `1.10`, and a huge integer keeps its digits.
///
/// Besides the numbers of JSON it holds those of YAML's core schema (`0x1F`, `0o17`, `+1`, `.5`,
/// `.inf`, `.nan`). These keep their spelling in text and are written as valid JSON: `31`, `15`,
/// `1`, `0.5`, and `null` for the infinities and for what is not a number.
public struct JSONNumber: Sendable {
    enum Storage: Sendable {
        /// A whole number in its plain decimal spelling.
        case integer(Int)
        case double(Double)
        /// A spelling that is valid JSON.
        case json(String)
        /// A spelling of YAML that is not valid JSON.
        case yaml(String)
    }

    let storage: Storage

    init(storage: Storage) {
        self.storage = storage
    }

    /// Makes a whole number.
    public init(_ value: Int) {
        storage = .integer(value)
    }

    /// Makes a whole number of any width.
    public init(_ value: some BinaryInteger) {
        if let small = Int(exactly: value) {
            storage = .integer(small)
        } else {
            storage = .json(String(value))
        }
    }

    /// Makes a number with the shortest spelling that denotes the floating-point value.
    public init(_ value: Double) {
        storage = .double(value)
    }

    /// Makes a number of its spelling in JSON or in YAML's core schema, or `nil` if it is in
    /// neither.
    public init?(spelling: String) {
        guard let storage = JSONNumberSpelling(spelling)?.storage else { return nil }
        self.storage = storage
    }

    /// Not a number.
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

    /// The number in the spelling of JSON, or `nil` when JSON has none: infinities, not a number.
    public var jsonSpelling: String? {
        switch storage {
        case .integer(let value): String(value)
        case .double(let value): value.isFinite ? value.description : nil
        case .json(let text): text
        case .yaml(let text): JSONNumberSpelling(text)?.json
        }
    }

    /// The whole number, when the number is one and fits: `5`, `5.0` and `5e0` are 5.
    public var intValue: Int? {
        switch storage {
        case .integer(let value): value
        case .double(let value): Int(exactly: value)
        case .json, .yaml: decimal?.intValue
        }
    }

    /// The nearest floating-point number; what is too large is infinite.
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

    /// Whether JSON can spell the number.
    public var isFinite: Bool {
        jsonSpelling != nil
    }

    /// The exact value, or `nil` for the infinities and for what is not a number.
    var decimal: JSONDecimal? {
        jsonSpelling.map(JSONDecimal.init)
    }
}

extension JSONNumber: Hashable {
    /// Whether both denote exactly the same value, however they are spelled.
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

    /// Feeds the hasher with the nearest floating-point number.
    public func hash(into hasher: inout Hasher) {
        let value = doubleValue
        hasher.combine(value.isNaN ? 0 : value)
    }
}

extension JSONNumber: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    /// Makes a whole number.
    public init(integerLiteral value: Int) {
        self.init(value)
    }

    /// Makes a number with a fraction.
    public init(floatLiteral value: Double) {
        self.init(value)
    }
}

extension JSONNumber: CustomStringConvertible {
    /// The number as it was written.
    public var description: String { spelling }
}
