/// The setting `retry`: how often to try, how long to wait between attempts, and which failures to
/// retry.
///
/// Written as `3` or `{attempts, backoff, maxBackoff, on}`. Values omitted from the file are `nil`,
/// for which the plugin chooses a default.
public struct RetryPolicy: SettingValue, Hashable {
    /// The maximum number of attempts, including the first; 1 means no retries.
    public var attempts: Int?
    /// The wait before the second attempt; it doubles for each later one.
    public var backoff: Duration?
    /// The longest wait.
    public var maxBackoff: Duration?
    /// The failures to retry, or `nil` for the plugin's default.
    public var causes: [RetryCause]?

    /// The default number of attempts.
    public static let standardAttempts = 3
    /// The default wait before the second attempt, and the default longest wait.
    public static let standardWaits = (
        backoff: Duration.seconds(1), maxBackoff: Duration.seconds(60)
    )

    /// Creates a policy.
    public init(
        attempts: Int? = nil, backoff: Duration? = nil, maxBackoff: Duration? = nil,
        causes: [RetryCause]? = nil
    ) {
        self.attempts = attempts
        self.backoff = backoff
        self.maxBackoff = maxBackoff
        self.causes = causes
    }

    /// Returns how long to wait after a failed attempt, other than the last, counted from 1.
    ///
    /// - Parameters:
    ///   - attempt: The number of the failed attempt.
    ///   - standard: The defaults for a policy without a backoff or limit.
    /// - Returns: The wait before the next attempt.
    public func wait(
        after attempt: Int, standard: (backoff: Duration, maxBackoff: Duration)
    ) -> Duration {
        let first = backoff ?? min(standard.backoff, maxBackoff ?? standard.backoff)
        let longest = maxBackoff ?? max(standard.maxBackoff, first)
        var wait = first
        for _ in 1..<max(1, attempt) where wait < longest { wait = wait * 2 }
        return min(wait, longest)
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String {
        "a number of tries, or {attempts, backoff, maxBackoff, on}"
    }

    /// The form of the accepted values.
    public static var form: ValueForm { .either([.integer, .settings(Form.self)]) }

    /// Reads a number of attempts, or a mapping with any of the four settings.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RetryPolicy? {
        guard node.mapping != nil else {
            guard case .int = node.resolved else {
                if case .int(let delay)? = node.sequence?.first?.resolved,
                    case .int(let repeats)? = node.sequence?.last?.resolved,
                    node.sequence?.count == 2
                {
                    return decoder.error(
                        "\(decoder.subject) must be \(shape); for Buildbot's (\(delay), \(repeats)) "
                            + "write {attempts: \(repeats + 1), backoff: \(delay)s}", at: node.range
                    )
                }
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.decode(Attempts.self, from: node).map {
                RetryPolicy(attempts: $0.count)
            }
        }
        let form = decoder.read(Form.self, from: node, owner: decoder.subject, at: node.range)
        guard let form else { return nil }
        if let first = form.backoff, let longest = form.maxBackoff, first > longest {
            return decoder.error(
                "\(decoder.subject) has a backoff longer than its maxBackoff; lower the one or "
                    + "raise the other", at: node.range)
        }
        return RetryPolicy(
            attempts: form.attempts?.count, backoff: form.backoff, maxBackoff: form.maxBackoff,
            causes: form.causes?.list)
    }

    private struct Form: Settings {
        @Setting("How many tries in all.") var attempts: Attempts?
        @Setting("The wait before the second try; it doubles with each try.") var backoff: Duration?
        @Setting("The longest wait.") var maxBackoff: Duration?
        @Setting("Failures to retry after.", .named("on")) var causes: Causes?
    }
}

/// A number of attempts.
private struct Attempts: SettingValue {
    let count: Int

    static var shape: String { "a number of tries" }

    static var form: ValueForm { .integer }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Attempts? {
        guard let count = decoder.decode(Int.self, from: node) else { return nil }
        guard (1...1000).contains(count) else {
            return decoder.error(
                "\(decoder.subject) counts all tries including the first: a number from 1, which "
                    + "never retries, to 1000", at: node.range)
        }
        return Attempts(count: count)
    }
}

/// One cause, or a list of causes.
private struct Causes: SettingValue {
    let list: [RetryCause]

    static var shape: String { "a list of " + RetryCause.shape }

    static var form: ValueForm { .either([.text, .list(of: .text)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Causes? {
        guard node.sequence?.isEmpty != true else {
            return decoder.error(
                "\(decoder.subject) lists nothing to retry after; omit 'retry' instead",
                at: node.range)
        }
        guard node.sequence != nil else {
            return decoder.decode(RetryCause.self, from: node).map { Causes(list: [$0]) }
        }
        return decoder.decode([RetryCause].self, from: node).map { Causes(list: $0) }
    }
}

/// A reason to retry, as listed in `on` of a ``RetryPolicy``.
public enum RetryCause: SettingValue, Hashable {
    /// Anything that makes a step fail: a failed command, an unsuccessful response, or no response.
    case failure
    /// An unexpected error in a step.
    case exception
    /// The connection failed: refused, host unreachable, or unknown host name.
    case refused
    /// A time limit was exceeded.
    case timeout
    /// The connection was lost before the response was complete.
    case closed
    /// A response with one of these status codes.
    case status(StatusRange)

    /// Whether the cause names an error of a request.
    public func includes(_ error: HTTPError) -> Bool {
        switch self {
        case .refused: [.refused, .unreachable, .nameNotFound, .proxy].contains(error.code)
        case .timeout: [.connectTimeout, .silenceTimeout, .totalTimeout].contains(error.code)
        case .closed: [.closedEarly, .malformedResponse, .transferFailed].contains(error.code)
        case .failure, .exception, .status: false
        }
    }

    private static let words: [(name: String, cause: RetryCause)] = [
        ("failure", .failure), ("exception", .exception), ("refused", .refused),
        ("timeout", .timeout), ("closed", .closed),
    ]

    /// A description of the accepted values, for error messages.
    public static var shape: String {
        words.map(\.name).joined(separator: ", ") + " or a status such as 503 or 5xx"
    }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads a keyword, a status code, or a range of codes.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RetryCause? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        if let word = words.first(where: { $0.name == scalar.value }) { return word.cause }
        if scalar.value.first.map({ $0.isASCII && $0.isNumber }) == true {
            return decoder.decode(StatusRange.self, from: node).map { .status($0) }
        }
        let names = words.map(\.name)
        let remedy = Suggestion.remedy(
            for: scalar.value, among: names, all: names + ["statuses such as 503 or 5xx"])
        return decoder.error(
            "\(decoder.subject) can't have '\(scalar.value.shortened)'; \(remedy)",
            at: node.range)
    }
}

/// A set of HTTP status codes: a code, a range, or a list of these.
public struct StatusSet: SettingValue, Hashable, CustomStringConvertible {
    /// The codes, as they were written.
    public let ranges: [StatusRange]

    /// Creates a set of codes.
    public init(_ ranges: [StatusRange]) {
        self.ranges = ranges
    }

    /// Whether a code is in the set.
    public func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }

    /// The codes, separated by commas.
    public var description: String { ranges.map(\.description).joined(separator: ", ") }

    /// A description of the accepted values, for error messages.
    public static var shape: String {
        "a status such as 200, 2xx or 200-299, or a list of these"
    }

    /// The form of the accepted values.
    public static var form: ValueForm { .either([.text, .list(of: .text)]) }

    /// Reads a code or range, or a non-empty list of them.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> StatusSet? {
        guard let items = node.sequence else {
            return decoder.decode(StatusRange.self, from: node).map { StatusSet([$0]) }
        }
        guard !items.isEmpty else {
            return decoder.error("\(decoder.subject) names no status", at: node.range)
        }
        return decoder.decode([StatusRange].self, from: node).map { StatusSet($0) }
    }
}

/// A range of HTTP status codes, written `503`, `5xx` or `500-599`.
public struct StatusRange: SettingValue, Hashable, CustomStringConvertible {
    /// The first and last code.
    public let codes: ClosedRange<Int>

    /// All codes that a server can send.
    private static let all = 100...999

    /// Creates a range of codes.
    public init(_ codes: ClosedRange<Int>) {
        self.codes = codes
    }

    /// Whether a code is in the range.
    public func contains(_ status: Int) -> Bool { codes.contains(status) }

    /// One code, or the first and last code.
    public var description: String {
        codes.count == 1 ? "\(codes.lowerBound)" : "\(codes.lowerBound)-\(codes.upperBound)"
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a status such as 200, 2xx or 200-299" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads a code, a class such as `5xx`, or a first and last code.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> StatusRange? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        guard let (first, last) = bounds(of: scalar.value) else {
            return decoder.mismatch(node, expected: shape)
        }
        guard all.contains(first), all.contains(last) else {
            return decoder.error(
                "\(decoder.subject) has '\(scalar.value.shortened)' for a status; a status has "
                    + "three digits, from 100 on", at: node.range)
        }
        guard first <= last else {
            return decoder.error(
                "\(decoder.subject) has a range of statuses that ends before it begins; write "
                    + "\(last)-\(first)", at: node.range, fix: "\(last)-\(first)")
        }
        return StatusRange(first...last)
    }

    private static func bounds(of spelling: String) -> (Int, Int)? {
        let digits = spelling.prefix { $0.isASCII && $0.isNumber }
        guard let first = Int(digits) else { return nil }
        let rest = spelling.dropFirst(digits.count)
        if rest.isEmpty { return (first, first) }
        if digits.count == 1, rest.lowercased() == "xx" { return (first * 100, first * 100 + 99) }
        guard let dash = rest.firstIndex(of: "-"), rest[..<dash].allSatisfy({ $0 == " " })
        else { return nil }
        let end = rest[rest.index(after: dash)...].drop { $0 == " " }
        guard end.allSatisfy({ $0.isASCII && $0.isNumber }), let last = Int(end)
        else { return nil }
        return (first, last)
    }
}
