internal import CLibPCRE2

/// A regular expression that is searched for in bounded time and memory.
///
/// The syntax is that of PCRE2, which is Perl's and nearly that of Python's `re`. Letters, digits
/// and case follow Unicode.
@safe public final class RegularExpression: Sendable {
    /// The maximum length of a pattern in bytes.
    public static let maximumLength = 4096
    /// The maximum nesting depth of parentheses.
    public static let maximumDepth = 100
    /// The maximum cost of a search: one step for each item tried and one for each byte passed.
    static let maximumSteps: UInt64 = 10_000_000
    /// The maximum memory that a search may use for backtracking, in KiB.
    private static let maximumKibibytes: UInt32 = 16 << 10

    /// The compiled pattern.
    ///
    /// It is created once and never modified, and PCRE2 allows concurrent searches with it.
    nonisolated(unsafe) private let code: OpaquePointer

    /// Compiles a pattern.
    ///
    /// - Throws: An error with the offset of the mistake in the pattern.
    public init(_ pattern: String) throws(RegularExpressionError) {
        var pattern = pattern
        let count = pattern.utf8.count
        guard count <= Self.maximumLength else {
            throw RegularExpressionError(
                "it has \(count) bytes, and at most \(Self.maximumLength) are allowed; use several",
                offset: Self.maximumLength)
        }
        var (error, place): (Int32, Int) = (0, 0)
        let code = pattern.withUTF8 { bytes in
            unsafe buildmaster_pattern_compile(
                bytes.baseAddress, bytes.count, UInt32(Self.maximumDepth), &error, &place)
        }
        guard let code = unsafe code else {
            throw RegularExpressionError(Self.message(of: error), offset: place)
        }
        unsafe self.code = code
    }

    deinit {
        unsafe pcre2_code_free_8(code)
    }

    /// Whether a text contains a match.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - onlyAtStart: Whether the match must begin where the text does.
    /// - Returns: Whether there is one.
    /// - Throws: An error if the search exceeds its limit on steps or memory.
    public func isFound(
        in text: String, onlyAtStart: Bool = false
    ) throws(RegularExpressionError) -> Bool {
        var text = text
        let result = text.withUTF8 { bytes in
            unsafe buildmaster_pattern_search(
                code, bytes.baseAddress, bytes.count, onlyAtStart ? 1 : 0, Self.maximumSteps,
                Self.maximumKibibytes)
        }
        switch result {
        case 0: return false
        case 1: return true
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT:
            throw RegularExpressionError(
                "the regular expression needs too many steps on this value; simplify it")
        default: throw RegularExpressionError(Self.message(of: result))
        }
    }

    private static func message(of error: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let count = unsafe text.withUnsafeMutableBufferPointer { buffer in
            unsafe pcre2_get_error_message_8(error, buffer.baseAddress, buffer.count)
        }
        guard count > 0 else { return "error \(error)" }
        let words = String(decoding: text.prefix(Int(count)), as: UTF8.self)
        return remedy(for: error).map { "\(words); \($0)" } ?? words
    }

    /// What to do about some mistakes in patterns, by PCRE2's number, which is the same in all its
    /// versions.
    private static func remedy(for error: Int32) -> String? {
        switch error {
        case 101: #"write \\ for a backslash"#
        case 104: "write the smaller number first"
        case 106: #"write \[ for a bracket"#
        case 109: #"write \*, \+ or \? for the character itself"#
        case 114: #"write \( for a parenthesis"#
        case 119: "at most \(maximumDepth) levels are allowed"
        case 122: #"write \) for a parenthesis"#
        case 125: "write alternatives of fixed lengths"
        case 143: "give each group a name of its own"
        default: nil
        }
    }
}

/// An invalid regular expression, or a search that failed.
public struct RegularExpressionError: Error, Hashable, CustomStringConvertible {
    /// What is wrong.
    public let message: String
    /// The offset in the pattern in UTF-8 bytes, or `nil` if the error is not at a specific place.
    public let offset: Int?

    init(_ message: String, offset: Int? = nil) {
        self.message = message
        self.offset = offset
    }

    /// The message.
    public var description: String { message }
}
