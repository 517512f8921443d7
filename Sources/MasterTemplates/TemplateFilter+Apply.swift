internal import MasterJSON

extension TemplateFilter {
    /// The maximum size of the output of a filter or of a whole template, in bytes.
    static let maximumByteCount = 16 << 20
    private static let maximumParts = 100_000

    /// Applies the filter; throws an error with a message.
    func apply(
        to value: TemplateValue,
        _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> TemplateValue {
        let result = try unboundedResult(of: value, arguments)
        try check(result.json?.stringValue?.utf8.count ?? 0)
        return result
    }

    private func unboundedResult(
        of value: TemplateValue,
        _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> TemplateValue {
        switch self {
        case .default:
            let replacesFalse = arguments.count > 1 && arguments[1].isTruthy
            let isThere = replacesFalse ? value.isTruthy : value.json?.isNull == false
            return isThere ? value : TemplateValue(arguments.first)
        case .safe: return TemplateValue(value.json, form: .raw)
        case .escape:
            let text = value.isSafe ? value.text : TemplateValue.escapedForHTML(value.text)
            return TemplateValue(.string(text), form: .html)
        case .json:
            let json = JSONWriter.compact.string(value.json ?? .null)
            return TemplateValue(.string(json), form: .json)
        case .first, .last: return TemplateValue(value.member(.string(rawValue)))
        case .length: return TemplateValue(value.member("count") ?? 0)
        case .uppercase: return mapTexts(value) { $0.uppercased() }
        case .lowercase: return mapTexts(value) { $0.lowercased() }
        case .capitalize, .title: return mapTexts(value, Self.capitalized)
        case .trim: return mapTexts(value, Self.trimmed).keepingJSON(of: value)
        case .truncate: return TemplateValue(.string(try truncated(value.text, arguments)))
        case .join: return TemplateValue(try joined(value.json, arguments))
        case .split: return TemplateValue(try split(value.json, arguments))
        case .indent:
            let text = try indented(value.text, arguments)
            return TemplateValue(.string(text)).keepingJSON(of: value)
        case .replace: return TemplateValue(.string(try replaced(value.text, arguments)))
        case .urlencode: return TemplateValue(.string(Self.urlEncoded(value.json ?? .null)))
        case .string: return TemplateValue(.string(value.text))
        case .int: return TemplateValue(Self.whole(value.json) ?? arguments.first ?? 0)
        case .abs, .round: return TemplateValue(try rounded(value, arguments))
        case .date: return TemplateValue(try date(value.json, arguments))
        case .duration: return TemplateValue(try duration(value.json))
        case .items, .list, .map, .reverse, .sort, .unique:
            return TemplateValue(.array(try list(of: value.json, arguments)))
        }
    }

    /// Changes a string, or each string in a list.
    private func mapTexts(_ value: TemplateValue, _ change: (String) -> String) -> TemplateValue {
        guard case .array(let array) = value.json else {
            return TemplateValue(.string(change(value.text)))
        }
        return TemplateValue(.array(array.map { .string(change($0.text ?? "")) }))
    }

    /// The string with the first letter of each word in upper case and the others in lower case.
    private static func capitalized(_ text: String) -> String {
        var capitalized = ""
        var isInWord = false
        for character in text {
            capitalized += isInWord ? character.lowercased() : character.uppercased()
            isInWord = character.isLetter || character.isNumber || isInWord && character == "'"
        }
        return capitalized
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }

    private func truncated(
        _ text: String, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> String {
        guard let count = arguments.first?.intValue, count >= 0 else {
            throw TemplateFilterError("'truncate' needs a number of characters, as in \(usage)")
        }
        guard text.utf8.count > count, text.count > count else { return text }
        return count == 0 ? "" : text.prefix(count - 1) + "…"
    }

    private func joined(
        _ value: JSONValue?, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> JSONValue? {
        guard case .array(let array) = value else { return value }
        let separator = arguments.first?.text ?? ""
        let texts = array.map { $0.text ?? "" }
        let count = texts.reduce(0) { $0 + $1.utf8.count + separator.utf8.count }
        try check(count)
        return .string(texts.joined(separator: separator))
    }

    private func split(
        _ value: JSONValue?, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> JSONValue? {
        guard case .string(let text) = value else { return value }
        let separator = arguments.first?.text ?? " "
        guard !separator.isEmpty else {
            throw TemplateFilterError("'split' needs a separator, as in \(usage)")
        }
        let parts = text.split(
            separator: separator, maxSplits: Self.maximumParts, omittingEmptySubsequences: false)
        guard parts.count <= Self.maximumParts else {
            throw TemplateFilterError("'split' makes more than \(Self.maximumParts) parts")
        }
        return .array(parts.map { .string(String($0)) })
    }

    private func indented(
        _ text: String, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> String {
        guard let width = arguments.first.map(\.intValue) ?? 4, 0...1000 ~= width else {
            throw TemplateFilterError("'indent' needs a width from 0 to 1000, as in \(usage)")
        }
        let unit = arguments.count > 1 ? arguments[1].text ?? " " : " "
        let indentsFirst = arguments.count > 2 && arguments[2].isTruthy
        // A carriage return before a line feed is one character with it.
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
            .map { String($0) }
        try check(text.utf8.count + lines.count * width * min(unit.utf8.count, 1 << 30))
        let indentation = String(repeating: unit, count: width)
        let indented = lines.enumerated().map { index, line in
            line.isEmpty || index == 0 && !indentsFirst ? line : indentation + line
        }
        return indented.joined(separator: "\n")
    }

    private func replaced(
        _ text: String, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> String {
        let (old, new) = (arguments[0].text ?? "", arguments[1].text ?? "")
        guard !old.isEmpty else {
            throw TemplateFilterError("'replace' needs a text to look for, as in \(usage)")
        }
        let parts = text.split(separator: old, omittingEmptySubsequences: false)
        try check(text.utf8.count + parts.count * new.utf8.count)
        return parts.joined(separator: new)
    }

    /// A string, or the pairs of a mapping, percent-encoded except for letters, digits and `-._~`.
    private static func urlEncoded(_ value: JSONValue) -> String {
        if case .object(let object) = value {
            return object.map { pair in
                "\(urlEncoded(.string(pair.key)))=\(urlEncoded(pair.value))"
            }.joined(separator: "&")
        }
        var encoded = ""
        for byte in (value.text ?? "").utf8 {
            let isPlain =
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-._~".utf8.contains(byte)
                || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 && byte < 0x80
            if isPlain {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }

    /// The integer value of a number or string; `nil` if it is neither.
    private static func whole(_ value: JSONValue?) -> JSONValue? {
        switch value {
        case .bool(let flag): return flag ? 1 : 0
        case .number(let number):
            return (number.intValue ?? Int(exactly: number.doubleValue.rounded(.towardZero)))
                .map { .int($0) }
        case .string(let text):
            return JSONNumber(spelling: trimmed(text)).flatMap { whole(.number($0)) }
        case .array, .object, .null, nil: return nil
        }
    }

    private func rounded(
        _ value: TemplateValue, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> JSONValue {
        guard case .number(let number) = value.json else {
            throw TemplateFilterError("'\(rawValue)' needs a number")
        }
        if self == .abs {
            if let whole = number.intValue, whole > .min { return .int(Swift.abs(whole)) }
            return .number(JSONNumber(Swift.abs(number.doubleValue)))
        }
        guard let places = arguments.first.map(\.intValue) ?? 0, 0...9 ~= places else {
            throw TemplateFilterError("'round' needs 0 to 9 decimal places, as in \(usage)")
        }
        let factor = (0..<places).reduce(1.0) { product, _ in product * 10 }
        let result = (number.doubleValue * factor).rounded() / factor
        if places == 0, let whole = Int(exactly: result) { return .int(whole) }
        return .number(JSONNumber(result))
    }

    /// The items of a list, the keys of a mapping or the characters of a string, in the filter's
    /// order.
    private func list(
        of value: JSONValue?, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> [JSONValue] {
        let items: [JSONValue]
        switch value {
        case .array(let array): items = array
        case .object(let object):
            items =
                self == .items
                ? object.map { [.string($0.key), $0.value] } : object.keys.map { .string($0) }
        case .string(let text):
            guard text.count <= Self.maximumParts else {
                throw TemplateFilterError(
                    "'\(rawValue)' makes more than \(Self.maximumParts) parts")
            }
            items = text.map { .string(String($0)) }
        default: items = []
        }
        switch self {
        case .map:
            let path = (arguments.first?.text ?? "").split(separator: ".").map(String.init)
            return items.map { item in
                path.reduce(item) { TemplateValue($0).member(.string($1)) ?? .null }
            }
        case .reverse: return items.reversed()
        case .sort: return items.sorted { TemplateComparison.less.holds($0, $1) }
        case .unique:
            var seen: Set<JSONValue> = []
            return items.filter { seen.insert($0).inserted }
        default: return items
        }
    }

    private func date(
        _ value: JSONValue?, _ arguments: [JSONValue]
    ) throws(TemplateFilterError) -> JSONValue {
        guard let value, !value.isNull else { return .string("") }
        guard case .number(let number) = value, let date = TemplateDate(number.doubleValue) else {
            throw TemplateFilterError(
                "'date' needs seconds since 1970, as in build.started_at | \(usage)")
        }
        let format = arguments.first?.text ?? "%Y-%m-%d %H:%M:%S"
        guard let text = date.text(format) else {
            throw TemplateFilterError(
                "'date' knows \(TemplateDate.directives), in UTC; write \(usage)")
        }
        return .string(text)
    }

    private func duration(_ value: JSONValue?) throws(TemplateFilterError) -> JSONValue {
        guard let value, !value.isNull else { return .string("") }
        guard case .number(let number) = value,
            let seconds = Int(exactly: number.doubleValue.rounded(.down))
        else { throw TemplateFilterError("'duration' needs a number of seconds") }
        return .string(TemplateDate.duration(seconds: seconds))
    }

    private func check(_ byteCount: Int) throws(TemplateFilterError) {
        guard byteCount <= Self.maximumByteCount else {
            throw TemplateFilterError(
                "the result of '\(rawValue)' would be larger than "
                    + "\(Self.maximumByteCount >> 20) MiB"
            )
        }
    }
}

/// The reason why a filter cannot be applied.
struct TemplateFilterError: Error {
    let message: String

    init(_ message: String) {
        self.message = message
    }
}

/// A time in UTC, as formatted by the filter `date`.
package struct TemplateDate {
    static let directives = "%Y %m %d %H %M %S %y %j %b %B %a %A %F %T %s %Z %%"

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
    private static let weekdays = [
        "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday",
    ]

    private let seconds: Int
    private let year: Int
    private let month: Int
    private let day: Int
    private let dayOfYear: Int
    private let days: Int

    /// Creates a time from seconds since 1970; `nil` if it is not in the years 1 to 9999.
    init?(_ time: Double) {
        guard time >= -62_135_596_800, time < 253_402_300_800 else { return nil }
        seconds = Int(time.rounded(.down))
        days = Self.floored(seconds, by: 86_400)
        // 400-year cycles start in March, so that the leap day comes last.
        let shifted = days + 719_468
        let era = Self.floored(shifted, by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayFromMarch + 2) / 153
        day = dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1]
        dayOfYear = before + day + (isLeap && month > 2 ? 1 : 0)
    }

    /// The time in a `strftime` format; `nil` if a directive is unknown.
    func text(_ format: String) -> String? {
        var text = ""
        var characters = format[...]
        while let character = characters.popFirst() {
            guard character == "%" else {
                text.append(character)
                continue
            }
            guard let directive = characters.popFirst(), let part = part(directive) else {
                return nil
            }
            text += part
        }
        return text
    }

    private func part(_ directive: Character) -> String? {
        let time = seconds - days * 86_400
        let weekday = Self.weekdays[((days % 7) + 7) % 7]
        return switch directive {
        case "Y": Self.padded(year, 4)
        case "y": Self.padded(year % 100)
        case "m": Self.padded(month)
        case "d": Self.padded(day)
        case "H": Self.padded(time / 3600)
        case "M": Self.padded(time / 60 % 60)
        case "S": Self.padded(time % 60)
        case "j": Self.padded(dayOfYear, 3)
        case "B": Self.months[month - 1]
        case "b": String(Self.months[month - 1].prefix(3))
        case "A": weekday
        case "a": String(weekday.prefix(3))
        case "F": text("%Y-%m-%d")
        case "T": text("%H:%M:%S")
        case "s": String(seconds)
        case "Z": "UTC"
        case "%": "%"
        default: nil
        }
    }

    /// A human-readable duration: `42s`, `5m 02s`, `1h 05m`.
    package static func duration(seconds: Int) -> String {
        switch max(0, seconds) {
        case ..<60: "\(max(0, seconds))s"
        case ..<3600: "\(seconds / 60)m \(padded(seconds % 60))s"
        default: "\(seconds / 3600)h \(padded(seconds / 60 % 60))m"
        }
    }

    private static func floored(_ value: Int, by divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }

    private static func padded(_ number: Int, _ count: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}
