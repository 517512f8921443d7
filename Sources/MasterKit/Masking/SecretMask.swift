internal import Synchronization

/// Replaces the values of secrets with their names in angle brackets: `<token>`.
///
/// A value is found as is, and also escaped in JSON, percent- or form-encoded in a URL, or in
/// base64, alone or inside a longer string such as `user:secret`. For a multi-line value, each
/// longer line is also found separately; for a URL, also its path, its query and any tokens in
/// them. Where two values overlap, both are replaced completely. A blank value masks nothing.
///
/// Copies of a mask share their secrets: a secret discovered while a build runs is masked
/// everywhere from then on, also in logs that are being written.
public struct SecretMask: Sendable {
    private let knowledge: Knowledge

    /// Creates a mask; if two names have the same value, the first one is shown.
    public init(_ secrets: [(name: String, value: String)]) {
        knowledge = Knowledge(secrets)
    }

    /// Whether there is nothing to replace.
    package var isEmpty: Bool {
        patterns.isEmpty
    }

    /// The patterns currently searched for.
    var patterns: SecretPatterns {
        knowledge.patterns
    }

    /// Masks an additional value from now on.
    ///
    /// The last 1,000 values are kept, up to 256 KiB; the oldest ones are dropped first, so that a
    /// long-running master does not accumulate them.
    ///
    /// - Parameters:
    ///   - value: The value, which is not known to a provider of secrets.
    ///   - name: The name shown in its place, in angle brackets.
    /// - Throws: ``UnmaskableSecret`` if the value is too short, too long, or blank.
    public func hide(_ value: String, as name: String) throws(UnmaskableSecret) {
        if case .refused(let reason) = SecretVerdict(name: name, value: value) {
            throw UnmaskableSecret(reason)
        }
        knowledge.learn(name, value)
    }

    /// Permanently masks everything that another mask masks, from now on.
    package func hide(all other: SecretMask) {
        knowledge.add(other.knowledge.given)
    }

    /// Returns the name of the first secret in a string, or `nil` if it contains none.
    public func nameOfSecret(in text: String) -> String? {
        patterns.nameOfSecret(in: Array(text.utf8))
    }

    /// Returns the name of the first secret whose placeholder occurs in the strings of a value.
    package func nameShown(in value: JSONValue) -> String? {
        switch value {
        case .null, .bool, .number: nil
        case .string(let text): patterns.nameShown(in: text)
        case .array(let array): array.lazy.compactMap { nameShown(in: $0) }.first
        case .object(let object):
            object.lazy.compactMap { patterns.nameShown(in: $0.key) ?? nameShown(in: $0.value) }
                .first
        }
    }

    /// Returns the string with every secret replaced.
    public func apply(to text: String) -> String {
        let patterns = patterns
        guard !patterns.isEmpty else { return text }
        return masked(Array(text.utf8), patterns).map { String(decoding: $0, as: UTF8.self) }
            ?? text
    }

    /// Returns the bytes with every secret replaced.
    public func apply(to bytes: [UInt8]) -> [UInt8] {
        let patterns = patterns
        guard !patterns.isEmpty else { return bytes }
        return masked(bytes, patterns) ?? bytes
    }

    /// Returns the value with every secret replaced in its keys, strings and numbers, at any depth.
    ///
    /// A number that contains a secret becomes a string.
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

    /// Returns the object with every secret replaced in its keys and values, at any depth.
    public func apply(to object: JSONObject) -> JSONObject {
        guard !isEmpty else { return object }
        return JSONObject(object.lazy.map { (apply(to: $0.key), apply(to: $0.value)) })
    }

    /// Returns the string with every secret replaced, for storage and display.
    package func masked(_ text: String) -> Masked<String> {
        Masked(by: self) { $0.apply(to: text) }
    }

    /// Returns the value with every secret replaced, for storage and display.
    package func masked(_ value: JSONValue) -> Masked<JSONValue> {
        Masked(by: self) { $0.apply(to: value) }
    }

    /// Returns a stream that masks output arriving in chunks.
    public func stream() -> Stream {
        Stream(self)
    }

    /// Returns the bytes with every secret replaced, or `nil` if they contain none.
    private func masked(_ bytes: [UInt8], _ patterns: SecretPatterns) -> [UInt8]? {
        guard patterns.mayOccur(in: bytes) else { return nil }
        var stream = stream()
        var masked = stream.process(bytes[...])
        masked += stream.finish()
        return masked
    }
}

/// A value in which every secret has been replaced.
///
/// Everything that is stored, published or logged has this type, so that no output of a build or
/// plugin gets there unmasked.
package struct Masked<Value: Sendable>: Sendable {
    package let value: Value

    /// Creates a value using a mask.
    package init(by mask: SecretMask, _ apply: (SecretMask) throws -> Value) rethrows {
        value = try apply(mask)
    }

    /// Wraps a value whose secrets were masked before, such as one that was stored.
    package init(alreadyMasked value: Value) {
        self.value = value
    }

    /// Transforms the value; the result must be derived from it alone.
    package func map<Other>(_ change: (Value) throws -> Other) rethrows -> Masked<Other> {
        Masked<Other>(alreadyMasked: try change(value))
    }
}

extension Masked: Equatable where Value: Equatable {}
extension Masked: Hashable where Value: Hashable {}

extension Masked: ExpressibleByUnicodeScalarLiteral where Value == String {}
extension Masked: ExpressibleByExtendedGraphemeClusterLiteral where Value == String {}

/// The program's own string literals contain no secrets.
extension Masked: ExpressibleByStringLiteral where Value == String {
    package init(stringLiteral text: String) {
        value = text
    }
}

/// The reason why a value can't be masked.
public struct UnmaskableSecret: Error, Hashable, CustomStringConvertible {
    /// What is wrong with the value, and how to fix it, without revealing any part of it.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The secrets known to a mask and its copies.
private final class Knowledge: Sendable {
    private static let maximumCount = 1000
    private static let maximumBytes = 256 << 10

    private typealias Secret = (name: String, value: String)

    private struct State {
        var given: [Secret]
        /// Secrets learned later, the most recent last.
        var learned: [Secret] = []
        var learnedBytes = 0
        var patterns: SecretPatterns
    }

    private let state: Mutex<State>

    init(_ secrets: [(name: String, value: String)]) {
        state = Mutex(State(given: secrets, patterns: SecretPatterns(secrets)))
    }

    var patterns: SecretPatterns { state.withLock { $0.patterns } }
    var given: [(name: String, value: String)] { state.withLock { $0.given } }

    /// Adds secrets permanently.
    func add(_ secrets: [(name: String, value: String)]) {
        state.withLock { state in
            let new = secrets.filter { secret in
                !state.given.contains { $0.value.utf8.elementsEqual(secret.value.utf8) }
            }
            guard !new.isEmpty else { return }
            state.given += new
            state.patterns = SecretPatterns(state.given + state.learned)
        }
    }

    func learn(_ name: String, _ value: String) {
        state.withLock { state in
            let isKnown = { (secret: Secret) in secret.value.utf8.elementsEqual(value.utf8) }
            guard !state.given.contains(where: isKnown) else { return }
            if let index = state.learned.firstIndex(where: isKnown) {
                return state.learned.append(state.learned.remove(at: index))
            }
            state.learned.append((name, value))
            state.learnedBytes += value.utf8.count
            guard
                state.learned.count > Self.maximumCount || state.learnedBytes > Self.maximumBytes
            else { return state.patterns.add(name, value) }
            // Drop half of them, since the patterns must be rebuilt anyway.
            while state.learned.count > Self.maximumCount / 2
                || state.learnedBytes > Self.maximumBytes / 2
            {
                state.learnedBytes -= state.learned.removeFirst().value.utf8.count
            }
            state.patterns = SecretPatterns(state.given + state.learned)
        }
    }
}

extension SecretMask {
    /// Masks output arriving in chunks, including secrets split between chunks.
    ///
    /// A possible start of a secret is held back until the next chunk, or the end, shows whether it
    /// is one: at most the length of the longest form of a secret.
    public struct Stream: Sendable {
        private let secrets: SecretMask
        /// The patterns to search for; the mask may learn more between two chunks.
        private var patterns: SecretPatterns
        private var held: [UInt8] = []
        /// The number of held bytes that belong to an already replaced secret.
        private var coveredCount = 0
        /// The replacement written for the last secret.
        private var lastReplacement: [UInt8]?

        init(_ secrets: SecretMask) {
            self.secrets = secrets
            patterns = secrets.patterns
        }

        /// Processes the next chunk, and returns the bytes that can be written, including those
        /// held before.
        public mutating func process(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            patterns = secrets.patterns
            guard !patterns.isEmpty else { return Array(bytes) }
            held += bytes
            return mask(isFinal: false)
        }

        /// Returns the bytes held back; the stream can be reused.
        public mutating func finish() -> [UInt8] {
            patterns = secrets.patterns
            return mask(isFinal: true)
        }

        private mutating func mask(isFinal: Bool) -> [UInt8] {
            let buffer = held
            held = []
            var output: [UInt8] = []
            output.reserveCapacity(buffer.count)
            var index = 0
            var end = coveredCount  // of what belongs to secrets replaced so far
            while let candidate = patterns.nextCandidate(in: buffer, from: index) {
                switch patterns.match(in: buffer, at: candidate, isFinal: isFinal) {
                case .none: break
                case .incomplete:
                    if candidate > end { output += buffer[end..<candidate] }
                    coveredCount = max(0, end - candidate)
                    held = Array(buffer[candidate...])
                    return output
                case .found(let secret, let count):
                    replace(secret, candidate..<candidate + count, of: buffer, &end, &output)
                }
                index = candidate + 1
            }
            output += buffer[end...]
            coveredCount = 0
            return output
        }

        /// Writes the bytes before a secret and its replacement, and advances `end` past it.
        private mutating func replace(
            _ secret: Int, _ range: Range<Int>, of buffer: [UInt8], _ end: inout Int,
            _ output: inout [UInt8]
        ) {
            guard range.upperBound > end else { return }
            let overlaps = range.lowerBound < end
            if !overlaps { output += buffer[end..<range.lowerBound] }
            let replacement = patterns.replacements[secret]
            if !overlaps || replacement != lastReplacement { output += replacement }
            lastReplacement = replacement
            end = range.upperBound
        }
    }
}

/// Whether a secret's value is long enough to be masked without masking everything else.
package enum SecretVerdict: Sendable, Hashable {
    /// The value is long enough.
    case good
    /// The value is short; the message says what may happen.
    case warning(String)
    /// The value cannot be used; the message says why, and how to fix it.
    case refused(String)

    /// Shorter values would match, and be masked, everywhere.
    static let minimumCount = 4
    /// Longer values would take too long to search for in all output.
    static let maximumBytes = 16 << 10

    /// Checks the value of a secret.
    package init(name: String, value: String) {
        let count = value.count
        if value.allSatisfy(\.isWhitespace) {
            self = .refused("the secret '\(name)' is blank; give it a value")
        } else if value.utf8.count > Self.maximumBytes {
            self = .refused(
                "the secret '\(name)' has \(value.utf8.count) bytes, and at most "
                    + "\(Self.maximumBytes) can be hidden in all output; encrypt what is large, and "
                    + "make its key the secret")
        } else if count < Self.minimumCount {
            self = .refused(
                "the secret '\(name)' has only \(count) \(count == 1 ? "character" : "characters")"
                    + "; masking it would garble all output, so it needs at least 4"
            )
        } else if count < 8 {
            self = .warning(
                "the secret '\(name)' has only \(count) characters; wherever they occur, output "
                    + "shows <\(name)>, so it should have at least 8"
            )
        } else {
            self = .good
        }
    }
}
