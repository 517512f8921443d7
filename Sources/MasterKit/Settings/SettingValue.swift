/// A type that can be the value of a setting.
public protocol SettingValue: Sendable {
    /// A description of the accepted values, with its article: `a duration such as 30s or 5m`.
    static var shape: String { get }

    /// The form of the accepted values, for schemas and help; by default any value.
    static var form: ValueForm { get }

    /// The value of an omitted setting, or `nil` if the setting is required.
    static var absent: Self? { get }

    /// Reads a value; if it is invalid, adds an error to the decoder and returns `nil`.
    ///
    /// Read the parts of a list or mapping through the decoder, never by calling this directly.
    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self?
}

extension SettingValue {
    /// `nil`: the setting is required.
    public static var absent: Self? { nil }
}

extension Optional: SettingValue where Wrapped: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { Wrapped.shape }

    /// No value: the setting is optional.
    public static var absent: Self? { .some(nil) }

    /// Reads null as no value.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        if node.isNull { return .some(nil) }
        return decoder.decode(Wrapped.self, from: node).map { .some($0) }
    }
}

extension String: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a text" }

    /// Reads any scalar except null; a number keeps its spelling.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> String? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        if case .bool(let value) = node.resolved { return value ? "true" : "false" }
        decoder.warnOfLiteralExpressions(in: node, text: scalar.value)
        return scalar.value
    }
}

extension Bool: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "true or false" }

    /// Reads a YAML 1.2 boolean, or the string `true` or `false`; for a value that is not written in
    /// the file itself, all that a condition can be.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Bool? {
        guard case .file = decoder.origin else {
            if let value = JSONValue(node).condition { return value }
            return decoder.error(
                decoder.origin.fault(decoder.subject, node.wording), at: node.range)
        }
        guard case .scalar(let scalar) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        if case .bool(let value) = node.resolved { return value }
        if let value = Bool(scalar.value) { return value }
        let meant = [
            "yes": true, "on": true, "true": true, "no": false, "off": false, "false": false,
        ]
        if let value = meant[scalar.value.lowercased()] {
            return decoder.error(
                "\(decoder.subject) must be \(shape); '\(scalar.value)' is a text in YAML 1.2, "
                    + "write \(value)", at: node.range, fix: "\(value)")
        }
        if scalar.value.hasPrefix("lambda") {
            return decoder.error(
                "\(decoder.subject) must be \(shape), not a function; write a condition such as "
                    + "!Equal [!Property branch, main]", at: node.range)
        }
        return decoder.mismatch(node, expected: shape)
    }
}

extension Int: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a whole number" }

    /// Reads a whole number.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Int? {
        guard case .int(let value) = node.resolved else {
            return decoder.mismatch(node, expected: decoder.limited(shape))
        }
        return decoder.limited(value, Double(value), .number, at: node)
    }
}

extension Double: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a number" }

    /// Reads a finite number.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Double? {
        switch node.resolved {
        case .int(let value):
            return decoder.limited(Double(value), Double(value), .number, at: node)
        case .float(let value) where value.isFinite:
            return decoder.limited(value, value, .number, at: node)
        default: return decoder.mismatch(node, expected: decoder.limited(shape))
        }
    }
}

/// A type that distinguishes a number from a string that looks like one.
///
/// Environment variables are always strings; for these types, `!Env` reads them as if written in
/// the file.
protocol TypedScalar {}

extension Double: TypedScalar {}
extension Int: TypedScalar {}
extension Optional: TypedScalar where Wrapped: TypedScalar {}

extension JSONValue: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "any value" }

    /// Reads any value; a number keeps its spelling.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> JSONValue? {
        if case .scalar(let scalar) = node.kind {
            if case .string = node.resolved {
                decoder.warnOfLiteralExpressions(in: node, text: scalar.value)
            }
            return decoder.checked(JSONValue(scalar, as: node.resolved), at: node.contentRange)
        }
        return decoder.descending(into: node) {
            if case .sequence = node.kind {
                return [JSONValue].decode(node, with: decoder).map { .array($0) }
            }
            return ExactDictionary<JSONValue>.decode(node, with: decoder).map {
                .object(JSONObject($0))
            }
        }
    }

    init(_ scalar: YAMLScalar, as resolved: YAMLScalar.Resolved?) {
        switch resolved {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int, .float:
            self = JSONNumber(spelling: scalar.value).map { .number($0) } ?? .string(scalar.value)
        case .string, nil: self = .string(scalar.value)
        }
    }
}

extension JSONObject: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a mapping" }

    /// Reads a mapping of any values.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> JSONObject? {
        guard case .mapping = node.kind else { return decoder.mismatch(node, expected: shape) }
        return JSONValue.decode(node, with: decoder)?.objectValue
    }
}

extension SettingDecoder {
    /// Returns a value unless it is a number that JSON cannot express; warns if JSON spells it
    /// differently from the file.
    fileprivate func checked(_ value: JSONValue, at range: SourceRange?) -> JSONValue? {
        guard case .number(let number) = value else { return value }
        let spelling = number.spelling
        guard let json = number.jsonSpelling else {
            return error(
                "\(subject) has the number \(spelling), which JSON cannot express; put quotes around "
                    + "it to send it as text", at: range, fix: "\"\(spelling)\"")
        }
        if json != spelling {
            warning(
                "the number \(spelling.shortened) is sent as \(json.shortened) in JSON; put quotes "
                    + "around it to keep it as it is", at: range, fix: "\"\(spelling)\"")
        }
        return value
    }
}

/// An enumeration whose cases are written as names.
public protocol SettingEnumeration: SettingValue, CaseIterable {
    /// The name of this case in a file.
    var settingName: String { get }
}

extension SettingEnumeration {
    /// A description of the accepted values, for error messages.
    public static var shape: String {
        "one of " + allCases.map(\.settingName).joined(separator: ", ")
    }

    /// Reads a name, and suggests the closest one for a misspelled word.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        named(by: node, with: decoder)
    }

    /// Reads a name, for types that accept more than names.
    public static func named(by node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        if let found = allCases.first(where: { $0.settingName == scalar.value }) { return found }
        let names = allCases.map(\.settingName)
        let remedy = Suggestion.choice(for: scalar.value, among: names)
        return decoder.error(
            "\(decoder.subject) can't be '\(scalar.value.shortened)'; \(remedy)", at: node.range)
    }
}

extension SettingEnumeration where Self: RawRepresentable, RawValue == String {
    /// The raw value.
    public var settingName: String { rawValue }
}

extension Results: SettingEnumeration {
    /// The name of the result.
    public var settingName: String { name }

    /// Reads a name or a code, such as `failure` or 2.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Results? {
        guard case .int(let code) = node.resolved else {
            return named(by: node, with: decoder)
        }
        if let found = Results(rawValue: code) { return found }
        let codes = allCases.map { "\($0.rawValue) \($0.name)" }
        let remedy = Suggestion.choice(for: "\(code)", among: codes)
        return decoder.error("\(decoder.subject) can't be \(code); \(remedy)", at: node.range)
    }
}

extension Duration: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a duration such as 30, 30s, 5m or 1h30m" }

    /// Reads seconds, or numbers with the units `ms`, `s`, `m`, `h` and `d`.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Duration? {
        guard case .scalar(let scalar) = node.kind, !node.isNull,
            let value = Duration(spelling: scalar.value)
        else { return decoder.mismatch(node, expected: decoder.limited(shape)) }
        return decoder.limited(value, value / .seconds(1), .duration, at: node)
    }

    private static let longest = 366.0 * 24 * 3600 * 100

    /// Parses `30`, `2.5`, `250ms`, `30s`, `1h30m`; `nil` for anything else and beyond 100 years.
    package init?(spelling: String) {
        guard let seconds = Double(spelling) ?? Self.seconds(spelling[...]),
            (0...Self.longest).contains(seconds)
        else { return nil }
        self = .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// Returns the sum of numbers that each have a unit.
    private static func seconds(_ spelling: Substring) -> Double? {
        var rest = spelling
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let factor = secondsPerUnit[String(unit)]
            else { return nil }
            total += value * factor
        }
        return total
    }

    private static let secondsPerUnit: [String: Double] = [
        "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400,
    ]
}

/// A number of bytes, written as `512`, `64KiB`, `10MB` or `1GiB`.
public struct ByteCount: SettingValue, Hashable {
    /// The number of bytes.
    public let bytes: Int

    /// Creates a size from a number of bytes.
    public init(_ bytes: Int) {
        self.bytes = bytes
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a size in bytes such as 65536, 64KiB or 10MB" }

    /// Reads a number with an optional unit, decimal (`kB`, `MB`, `GB`) or binary (`KiB`, `MiB`,
    /// `GiB`).
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ByteCount? {
        guard case .scalar(let scalar) = node.kind, !node.isNull,
            let value = ByteCount(spelling: scalar.value)
        else { return decoder.mismatch(node, expected: shape) }
        return value
    }

    /// Parses a size; `nil` if it is malformed or too large.
    package init?(spelling: String) {
        let digits = spelling.prefix { $0.isASCII && $0.isNumber }
        let unit = spelling.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let count = Int(digits), let factor = Self.bytesPerUnit[unit] else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    private static let bytesPerUnit: [String: Int] = [
        "": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
    ]
}

extension MailAddress: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a mail address such as ci@example.org" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads an address, with a name or without.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> MailAddress? {
        guard case .string(let text) = node.resolved else {
            return decoder.mismatch(node, expected: shape)
        }
        do throws(Fault) {
            return try MailAddress(text)
        } catch {
            return decoder.error(
                "\(decoder.subject) must be \(shape): '\(text.prefix(80))' \(error.reason)",
                at: node.range)
        }
    }
}
