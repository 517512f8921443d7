/// All forms of all secrets, arranged to be found in one pass.
///
/// A bit for each pair of bytes says whether a form starts with it; only then is the input compared
/// with the forms that start with that pair, longest first.
struct SecretPatterns: Sendable {
    private struct Pattern {
        let bytes: [UInt8]
        let secret: Int
        /// Whether line breaks may occur between the bytes.
        let mayBreak: Bool
    }

    /// The result of matching at a position.
    enum Match {
        case none
        /// Further bytes are needed to know whether a form, or a longer one, matches here.
        case incomplete
        case found(secret: Int, count: Int)
    }

    /// The replacement for each secret.
    private(set) var replacements: [[UInt8]] = []
    private var seen: Set<[UInt8]> = []
    private var patterns: [UInt16: [Pattern]] = [:]
    /// A bit for each pair of bytes, indexed by the first and then the second.
    private var pairs: [UInt64] = []
    private var isFirst: [Bool] = []

    init(_ secrets: [(name: String, value: String)]) {
        for (name, value) in secrets { add(name, value) }
    }

    /// Adds the forms of one more secret; a form shared with an earlier secret stays with that one.
    mutating func add(_ name: String, _ value: String) {
        let secret = replacements.count
        replacements.append(Array("<\(name)>".utf8))
        let forms = SecretForms(of: value)
        var keys: Set<UInt16> = []
        for form in forms.texts where seen.insert(form).inserted {
            keys.formUnion(add(Pattern(bytes: form, secret: secret, mayBreak: false)))
        }
        for form in forms.breakable where seen.insert(form).inserted {
            keys.formUnion(add(Pattern(bytes: form, secret: secret, mayBreak: true)))
        }
        for key in keys {
            patterns[key]?.sort { $0.bytes.count > $1.bytes.count }
        }
    }

    var isEmpty: Bool {
        patterns.isEmpty
    }

    /// Adds a form, and returns the byte pairs it can start with.
    private mutating func add(_ pattern: Pattern) -> [UInt16] {
        if isFirst.isEmpty {
            isFirst = Array(repeating: false, count: 256)
            pairs = Array(repeating: 0, count: 1024)
        }
        let first = pattern.bytes[0]
        isFirst[Int(first)] = true
        return Self.seconds(of: pattern).map { second in
            patterns[Self.key(first, second), default: []].append(pattern)
            pairs[Int(first) << 2 | Int(second) >> 6] |= 1 << UInt64(second & 63)
            return Self.key(first, second)
        }
    }

    /// The bytes that can follow the first one.
    private static func seconds(of pattern: Pattern) -> [UInt8] {
        guard pattern.bytes.count > 1 else { return Array(0...255) }
        return [pattern.bytes[1]] + (pattern.mayBreak ? lineEnds : [])
    }

    private static let lineEnds: [UInt8] = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]

    private static func key(_ first: UInt8, _ second: UInt8) -> UInt16 {
        UInt16(first) << 8 | UInt16(second)
    }

    /// Whether a form may start anywhere in the bytes.
    func mayOccur(in bytes: [UInt8]) -> Bool {
        nextCandidate(in: bytes, from: 0) != nil
    }

    /// The first position, from an index on, where a form may start.
    func nextCandidate(in bytes: [UInt8], from start: Int) -> Int? {
        guard start < bytes.count else { return nil }
        var first = Int(bytes[start])
        for index in start + 1..<bytes.count {
            let second = Int(bytes[index])
            if pairs[first << 2 | second >> 6] >> UInt64(second & 63) & 1 != 0 { return index - 1 }
            first = second
        }
        return isFirst[first] ? bytes.count - 1 : nil
    }

    /// The name of the first secret whose placeholder occurs in a string.
    func nameShown(in text: String) -> String? {
        guard text.utf8.contains(UInt8(ascii: "<")) else { return nil }
        return replacements.lazy.map { String(decoding: $0, as: UTF8.self) }
            .first { text.contains($0) }.map { String($0.dropFirst().dropLast()) }
    }

    /// The name of the first secret in the bytes, or `nil` if they contain none.
    func nameOfSecret(in bytes: [UInt8]) -> String? {
        guard !isEmpty else { return nil }
        var index = 0
        while let candidate = nextCandidate(in: bytes, from: index) {
            if case .found(let secret, _) = match(in: bytes, at: candidate, isFinal: true) {
                return String(decoding: replacements[secret].dropFirst().dropLast(), as: UTF8.self)
            }
            index = candidate + 1
        }
        return nil
    }

    /// Matches the forms at a position where one may start.
    func match(in bytes: [UInt8], at start: Int, isFinal: Bool) -> Match {
        guard start + 1 < bytes.count else {
            guard isFinal else { return .incomplete }
            return matchLast(bytes[start])
        }
        for pattern in patterns[Self.key(bytes[start], bytes[start + 1])] ?? [] {
            switch Self.compare(pattern, bytes, at: start) {
            case .incomplete where !isFinal: return .incomplete
            case .found(let secret, let count): return .found(secret: secret, count: count)
            case .none, .incomplete: continue
            }
        }
        return .none
    }

    private func matchLast(_ byte: UInt8) -> Match {
        let single = patterns[Self.key(byte, 0)]?.first { $0.bytes.count == 1 }
        return single.map { .found(secret: $0.secret, count: 1) } ?? .none
    }

    private static func compare(_ pattern: Pattern, _ bytes: [UInt8], at start: Int) -> Match {
        var index = start
        for byte in pattern.bytes {
            if pattern.mayBreak, index > start {
                index = lineBreak(bytes, at: index)
            }
            guard index < bytes.count else { return .incomplete }
            guard bytes[index] == byte else { return .none }
            index += 1
        }
        return .found(secret: pattern.secret, count: index - start)
    }

    /// The end of the line break at an index; blank lines are not skipped, since output may have
    /// any number of them.
    private static func lineBreak(_ bytes: [UInt8], at start: Int) -> Int {
        var index = start
        while index < bytes.count, index < start + 2, lineEnds.contains(bytes[index]) {
            index += 1
        }
        return index
    }
}
