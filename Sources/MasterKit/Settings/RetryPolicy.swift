/// The setting `retry`: how often something is tried, how long to wait between, and after what.
///
/// Written `3` or `{attempts, backoff, maxBackoff, on}`. What the file leaves out is `nil`; the plugin
/// decides then.
public struct RetryPolicy: SettingValue, Hashable {
    /// How many tries there are in all, the first one included; 1 never repeats.
    public var attempts: Int?
    /// The wait before the second try; each later one is twice as long as the one before.
    public var backoff: Duration?
    /// The longest wait.
    public var maxBackoff: Duration?
    /// The failures to retry after; `nil` for the plugin's own choice.
    public var causes: [RetryCause]?

    /// How many tries there are when a policy does not say so.
    public static let standardAttempts = 3
    /// The wait before the second try and the longest one, when a policy does not say so.
    public static let standardWaits = (
        backoff: Duration.seconds(1), maxBackoff: Duration.seconds(60)
    )

    /// Makes a policy.
    public init(
        attempts: Int? = nil, backoff: Duration? = nil, maxBackoff: Duration? = nil,
        causes: [RetryCause]? = nil
    ) {
        self.attempts = attempts
        self.backoff = backoff
        self.maxBackoff = maxBackoff
        self.causes = causes
    }

    /// The wait after a try that was not the last, counted from 1.
    ///
    /// - Parameters:
    ///   - attempt: The number of the try that went wrong.
    ///   - standard: The backoff and its limit where the policy has none.
    /// - Returns: How long to wait before the next try.
    public func wait(
        after attempt: Int, standard: (backoff: Duration, maxBackoff: Duration)
    ) -> Duration {
        let first = backoff ?? min(standard.backoff, maxBackoff ?? standard.backoff)
        let longest = maxBackoff ?? max(standard.maxBackoff, first)
        var wait = first
        for _ in 1..<max(1, attempt) where wait < longest { wait = wait * 2 }
        return min(wait, longest)
    }

    /// A number of tries, or a mapping.
    public static var shape: String {
        "a number of tries, or {attempts, backoff, maxBackoff, on}"
    }

    /// Reads a number of tries, or a mapping that has any of the four settings.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RetryPolicy? {
        guard node.mapping != nil else {
            guard case .int = node.resolved else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.decode(Attempts.self, from: node).map {
                RetryPolicy(attempts: $0.count)
            }
        }
        let form = Form()
        guard decoder.fill([form], from: node, owner: decoder.subject, at: node.range)
        else { return nil }
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

/// A number of tries.
private struct Attempts: SettingValue {
    let count: Int

    static var shape: String { "a number of tries" }

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

/// One cause, or a list of them.
private struct Causes: SettingValue {
    let list: [RetryCause]

    static var shape: String { "a list of " + RetryCause.shape }

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

/// A reason to try again, as it stands in `on` of a ``RetryPolicy``.
public enum RetryCause: SettingValue, Hashable {
    /// Whatever makes a step fail: a command that fails, an answer that is not a success, no answer.
    case failure
    /// An error that a step did not expect.
    case exception
    /// No connection: refused, host unreachable, or unknown host name.
    case refused
    /// A time limit was exceeded.
    case timeout
    /// The connection was lost before the answer was complete.
    case closed
    /// An answer with one of these codes.
    case status(StatusRange)

    private static let words: [(name: String, cause: RetryCause)] = [
        ("failure", .failure), ("exception", .exception), ("refused", .refused),
        ("timeout", .timeout), ("closed", .closed),
    ]

    /// A word or a status.
    public static var shape: String {
        words.map(\.name).joined(separator: ", ") + " or a status such as 503 or 5xx"
    }

    /// Reads one of the words, a code, or a range of codes.
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
