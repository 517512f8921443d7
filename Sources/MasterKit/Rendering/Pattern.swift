/// A regular expression that was checked when the file was read.
struct Pattern: Sendable {
    private let source: String

    init?(_ tree: RenderTree, _ decoder: SettingDecoder) {
        guard let node = tree.constant, let text = node.scalarText else {
            decoder.error("the regular expression of !Matches is a plain text", at: tree.range)
            return nil
        }
        do {
            _ = try Regex(text)
        } catch {
            decoder.error("'\(text.shortened)' is no regular expression: \(error)", at: node.range)
            return nil
        }
        source = text
    }

    /// Whether the pattern is found anywhere in the text.
    func matches(_ text: String) -> Bool {
        // A `Regex` is not `Sendable`; compiling it again costs microseconds, once a condition.
        guard let regex = try? Regex(source) else { return false }
        return text.contains(regex)
    }
}
