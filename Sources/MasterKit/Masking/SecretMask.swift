internal import Synchronization

/// Replaces the values of secrets by their names in angle brackets: `<token>`.
///
/// A value is found as it is, and as it looks escaped in JSON, percent- or form-encoded in a URL,
/// or in base64, alone or inside a longer text such as `user:secret`. Of a value of several lines
/// each longer line is found alone, too, and of an address its path, its query and what looks like a
/// token in them. Where two values overlap, all of both is replaced. A value that is blank masks
/// nothing.
///
/// Copies of a mask share what they know: a secret that comes up while a build runs is hidden
/// everywhere from then on, also in logs that are being written.
public struct SecretMask: Sendable {
    private let knowledge: Knowledge

    /// Makes a mask; of two names with the same value the first one is shown.
    public init(_ secrets: [(name: String, value: String)]) {
        knowledge = Knowledge(secrets)
    }

    /// Whether there is nothing to replace.
    package var isEmpty: Bool {
        patterns.isEmpty
    }

    /// What is looked for at present.
    var patterns: SecretPatterns {
        knowledge.patterns
    }

    /// Hides one more value from now on.
    ///
    /// The last 1,000 values are known, up to 256 KiB: of those that a master was told in the months
    /// that it runs the oldest ones are forgotten.
    ///
    /// - Parameters:
    ///   - value: The value, which no provider of secrets knows.
    ///   - name: What is shown in its place, in angle brackets.
    /// - Throws: ``UnmaskableSecret`` when the value is too short or too long, or blank.
    public func hide(_ value: String, as name: String) throws(UnmaskableSecret) {
        if case .refused(let reason) = SecretVerdict(name: name, value: value) {
            throw UnmaskableSecret(reason)
        }
        knowledge.learn(name, value)
    }

    /// Hides from now on all that another mask hides, for good.
    package func hide(all other: SecretMask) {
        knowledge.add(other.knowledge.given)
    }

    /// The name of the first secret in a text, `nil` when it holds none.
    public func nameOfSecret(in text: String) -> String? {
        patterns.nameOfSecret(in: Array(text.utf8))
    }

    /// The name of the first secret that is shown in the texts of a value in place of its own.
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

    /// The text with every secret replaced.
    public func apply(to text: String) -> String {
        let patterns = patterns
        guard !patterns.isEmpty else { return text }
        return masked(Array(text.utf8), patterns).map { String(decoding: $0, as: UTF8.self) }
            ?? text
    }

    /// The bytes with every secret replaced.
    public func apply(to bytes: [UInt8]) -> [UInt8] {
        let patterns = patterns
        guard !patterns.isEmpty else { return bytes }
        return masked(bytes, patterns) ?? bytes
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

    /// The text with every secret replaced, as it may be stored and shown.
    package func masked(_ text: String) -> Masked<String> {
        Masked(by: self) { $0.apply(to: text) }
    }

    /// The value with every secret replaced, as it may be stored and shown.
    package func masked(_ value: JSONValue) -> Masked<JSONValue> {
        Masked(by: self) { $0.apply(to: value) }
    }

    /// Begins to mask output that comes in pieces.
    public func stream() -> Stream {
        Stream(self)
    }

    /// The bytes with every secret replaced, or `nil` if they hold none.
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
/// What is stored, published or written to a log comes in this form, so that nothing that a build or
/// a plugin has said gets there unmasked.
package struct Masked<Value: Sendable>: Sendable {
    /// The value.
    package let value: Value

    /// Makes a value with a mask.
    package init(by mask: SecretMask, _ apply: (SecretMask) throws -> Value) rethrows {
        value = try apply(mask)
    }

    /// Takes a value that was masked before it was stored.
    package init(stored value: Value) {
        self.value = value
    }

    /// The same value in another form, which is made of it alone.
    package func map<Other>(_ change: (Value) throws -> Other) rethrows -> Masked<Other> {
        Masked<Other>(stored: try change(value))
    }
}

extension Masked: Equatable where Value: Equatable {}
extension Masked: Hashable where Value: Hashable {}

extension Masked: ExpressibleByUnicodeScalarLiteral where Value == String {}
extension Masked: ExpressibleByExtendedGraphemeClusterLiteral where Value == String {}

/// A sentence of the program's own has no secrets in it.
extension Masked: ExpressibleByStringLiteral where Value == String {
    package init(stringLiteral text: String) {
        value = text
    }
}

/// Why a value can't be hidden.
public struct UnmaskableSecret: Error, Hashable, CustomStringConvertible {
    /// What is wrong with the value, and what to do; it shows no part of it.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The secrets that a mask and its copies know.
private final class Knowledge: Sendable {
    private static let maximumCount = 1000
    private static let maximumBytes = 256 << 10

    private typealias Secret = (name: String, value: String)

    private struct State {
        var given: [Secret]
        /// What was learned later, the latest last.
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

    /// Takes up secrets that are never forgotten.
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
            // Half of them, as everything else is to be arranged anew.
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
    /// Masks output that comes in pieces, also where a secret is divided between them.
    ///
    /// What may be the beginning of a secret is held back until the next piece, or the end, shows
    /// whether it is one: never more than the longest form of a secret.
    public struct Stream: Sendable {
        private let secrets: SecretMask
        /// What is looked for; the mask may learn more between two pieces.
        private var patterns: SecretPatterns
        private var held: [UInt8] = []
        /// How many of the held bytes belong to a secret that has been replaced already.
        private var coveredCount = 0
        /// What was written for the secret that was replaced last.
        private var lastReplacement: [UInt8]?

        init(_ secrets: SecretMask) {
            self.secrets = secrets
            patterns = secrets.patterns
        }

        /// Takes the next piece, and returns what can be written of it and what was held before.
        public mutating func process(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
            patterns = secrets.patterns
            guard !patterns.isEmpty else { return Array(bytes) }
            held += bytes
            return mask(isFinal: false)
        }

        /// Returns what was held back; the stream may be used again.
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

        /// Writes what stands before a secret, and its replacement; `end` moves behind it.
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

/// Whether the value of a secret is long enough to be masked without masking everything else.
package enum SecretVerdict: Sendable, Hashable {
    /// The value is long enough.
    case good
    /// The value is short; the sentence says what may happen.
    case warning(String)
    /// The value cannot be used; the sentence says why, and what to do.
    case refused(String)

    /// Fewer characters would be found, and hidden, everywhere.
    static let minimumCount = 4
    /// More would take long to look for in all output.
    static let maximumBytes = 16 << 10

    /// Judges the value of a secret.
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
