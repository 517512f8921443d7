internal import MasterKit

/// How a piece of text looks on a terminal with colours.
enum TextStyle: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
    case boldRed = "1;31"
    case boldYellow = "1;33"

    /// The style in which a result is shown; `nil` while something runs.
    init(_ results: Results?) {
        switch results {
        case .success: self = .green
        case .warnings: self = .yellow
        case .failure, .exception: self = .red
        case .retry, .cancelled: self = .yellow
        case .skipped: self = .dim
        case nil: self = .cyan
        }
    }
}

/// Gives texts their style, or leaves them as they are.
struct TextPainter: Sendable {
    /// Whether colours are wanted.
    let hasColour: Bool

    /// The text in a style.
    func callAsFunction(_ style: TextStyle, _ text: String) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }
}
