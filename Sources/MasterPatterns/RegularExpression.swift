internal import CLibPCRE2

/// A regular expression that is found in a text, or not, in bounded time and memory.
///
/// The syntax is that of PCRE2, which is Perl's and nearly that of Python's `re`. Letters, digits
/// and case are Unicode's.
@safe public final class RegularExpression: Sendable {
    /// The most bytes that a pattern may have.
    public static let maximumLength = 4096
    /// How deep parentheses may nest.
    public static let maximumDepth = 100
    /// What a search may cost: a step for each item that is tried, and for each byte it passes.
    static let maximumSteps: UInt64 = 10_000_000
    /// What a search may remember of the ways that it has not tried yet.
    private static let maximumKibibytes: UInt32 = 16 << 10

    /// The compiled pattern.
    ///
    /// It is made once and never changes, and PCRE2 lets any number of threads search with it.
    nonisolated(unsafe) private let code: OpaquePointer

    /// Compiles a pattern.
    ///
    /// - Throws: What is wrong with the pattern, with its place.
    public init(_ pattern: String) throws(RegularExpressionError) {
        var pattern = pattern
        let count = pattern.utf8.count
        guard count <= Self.maximumLength else {
            throw RegularExpressionError(
                "it has \(count) bytes, and at most \(Self.maximumLength) are allowed",
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

    /// Whether the pattern is found anywhere in a text.
    ///
    /// - Throws: When the search takes more steps, or more memory, than any search may.
    public func isFound(in text: String) throws(RegularExpressionError) -> Bool {
        var text = text
        let result = text.withUTF8 { bytes in
            unsafe buildmaster_pattern_search(
                code, bytes.baseAddress, bytes.count, Self.maximumSteps, Self.maximumKibibytes)
        }
        switch result {
        case 0: return false
        case 1: return true
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT:
            throw RegularExpressionError(
                "the regular expression needs too many steps on this value")
        default: throw RegularExpressionError(Self.message(of: result))
        }
    }

    private static func message(of error: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let count = unsafe text.withUnsafeMutableBufferPointer { buffer in
            unsafe pcre2_get_error_message_8(error, buffer.baseAddress, buffer.count)
        }
        guard count > 0 else { return "error \(error)" }
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }
}

/// What is wrong with a regular expression, or with searching for it.
public struct RegularExpressionError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, in words.
    public let message: String
    /// Where in the pattern it was found, in UTF-8 bytes; `nil` when it is not about a place.
    public let offset: Int?

    init(_ message: String, offset: Int? = nil) {
        self.message = message
        self.offset = offset
    }

    /// The message.
    public var description: String { message }
}
