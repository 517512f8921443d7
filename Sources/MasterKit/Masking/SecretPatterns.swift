/// Every form of every secret, arranged so that one pass finds them.
///
/// A bit for each pair of bytes says whether a form begins with it; what passes is compared with
/// the forms that begin so, longest first.
struct SecretPatterns: Sendable {
    private struct Pattern {
        let bytes: [UInt8]
        let secret: Int
    }

    /// What stands at a place.
    enum Match {
        case none
        /// What follows will show whether a form, or a longer one, stands here.
        case incomplete
        case found(secret: Int, count: Int)
    }

    /// What is written for each secret.
    let replacements: [[UInt8]]
    private var patterns: [UInt16: [Pattern]] = [:]
    /// A bit for each pair of bytes, by the first and then the second one.
    private var pairs: [UInt64] = []
    private var isFirst: [Bool] = []

    init(_ secrets: [(name: String, value: String)]) {
        replacements = secrets.map { Array("<\($0.name)>".utf8) }
        var seen: Set<[UInt8]> = []
        for (index, secret) in secrets.enumerated() {
            for form in SecretForms(of: secret.value).all where seen.insert(form).inserted {
                add(Pattern(bytes: form, secret: index))
            }
        }
        for key in patterns.keys {
            patterns[key]?.sort { $0.bytes.count > $1.bytes.count }
        }
    }

    var isEmpty: Bool {
        patterns.isEmpty
    }

    private mutating func add(_ pattern: Pattern) {
        if isFirst.isEmpty {
            isFirst = Array(repeating: false, count: 256)
            pairs = Array(repeating: 0, count: 1024)
        }
        let first = pattern.bytes[0]
        isFirst[Int(first)] = true
        let seconds = pattern.bytes.count > 1 ? pattern.bytes[1]...pattern.bytes[1] : 0...255
        for second in seconds {
            patterns[Self.key(first, second), default: []].append(pattern)
            pairs[Int(first) << 2 | Int(second) >> 6] |= 1 << UInt64(second & 63)
        }
    }

    private static func key(_ first: UInt8, _ second: UInt8) -> UInt16 {
        UInt16(first) << 8 | UInt16(second)
    }

    /// Whether a form may begin anywhere in the bytes.
    func mayOccur(in bytes: [UInt8]) -> Bool {
        nextCandidate(in: bytes, from: 0) != nil
    }

    /// The first place, from an index on, where a form may begin.
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

    /// What stands at a place where a form may begin.
    func match(in bytes: [UInt8], at start: Int, isFinal: Bool) -> Match {
        guard start + 1 < bytes.count else {
            guard isFinal else { return .incomplete }
            return matchLast(bytes[start])
        }
        for pattern in patterns[Self.key(bytes[start], bytes[start + 1])] ?? [] {
            let count = min(pattern.bytes.count, bytes.count - start)
            let isWhole = count == pattern.bytes.count
            guard isWhole || !isFinal else { continue }
            guard Self.equal(pattern.bytes, bytes, at: start, count: count) else { continue }
            return isWhole ? .found(secret: pattern.secret, count: count) : .incomplete
        }
        return .none
    }

    private func matchLast(_ byte: UInt8) -> Match {
        let single = patterns[Self.key(byte, 0)]?.first { $0.bytes.count == 1 }
        return single.map { .found(secret: $0.secret, count: 1) } ?? .none
    }

    private static func equal(
        _ pattern: [UInt8],
        _ bytes: [UInt8],
        at start: Int,
        count: Int
    ) -> Bool {
        for index in 0..<count where pattern[index] != bytes[start + index] {
            return false
        }
        return true
    }
}
