/// Whether the value of a secret is long enough to be masked without masking everything else.
public enum SecretVerdict: Sendable, Hashable {
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
    public init(name: String, value: String) {
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
