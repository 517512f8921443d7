internal import MasterPatterns

/// A regular expression that was checked when the file was read.
struct Pattern: Sendable {
    private let expression: RegularExpression

    init?(_ tree: RenderTree, _ decoder: SettingDecoder) {
        guard let node = tree.constant, let text = node.scalarText else {
            decoder.error("the regular expression of !Matches is a plain text", at: tree.range)
            return nil
        }
        do {
            expression = try RegularExpression(text)
        } catch {
            let last = max(0, text.utf8.count - 1)
            let range = error.offset.flatMap { offset in
                let start = min(offset, last)
                return node.range(ofUTF8: start..<min(start + 1, text.utf8.count))
            }
            decoder.error(
                "'\(text.shortened)' is not a regular expression: \(error)",
                at: range ?? node.range)
            return nil
        }
    }

    /// Whether the pattern is found anywhere in the text.
    func isFound(in text: String) throws(RenderError) -> Bool {
        do {
            return try expression.isFound(in: text)
        } catch {
            throw RenderError("\(error)")
        }
    }
}
