internal import MasterKit

/// The one character in front of a build or a step that tells how it is doing.
struct Marks: Sendable {
    /// Whether more than ASCII can be shown.
    let hasUnicode: Bool

    /// The mark of something that has not started.
    var pending: String { hasUnicode ? "○" : "." }

    /// The sign that text was cut.
    var ellipsis: String { hasUnicode ? "…" : "..." }

    /// The mark of a result; of something that runs when there is none.
    func callAsFunction(_ results: Results?) -> String {
        switch results {
        case .success: hasUnicode ? "✓" : "+"
        case .warnings: "!"
        case .failure, .exception: hasUnicode ? "✗" : "x"
        case .skipped: "-"
        case .retry: hasUnicode ? "↻" : "r"
        case .cancelled: hasUnicode ? "⊘" : "c"
        case nil: hasUnicode ? "●" : "*"
        }
    }
}
