/// A reason to try again, as it stands in `on` of a ``RetryPolicy``.
public enum RetryCause: SettingValue, Hashable {
    /// Whatever makes a step fail: a command that fails, an answer that is no success, no answer.
    case failure
    /// An error that a step did not expect.
    case exception
    /// No connection came about: refused, no way to the host, no such name.
    case refused
    /// A time limit was over.
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
