internal import MasterKit

/// One line of a log, without the mark of its channel.
struct LogLine: Sendable, Hashable {
    /// Which kind of line it is; `nil` for one without a mark.
    let channel: LogChannel?
    /// The text.
    let text: String

    /// Reads a line that begins with the mark of its channel.
    init(marked text: Substring) {
        channel = text.utf8.first.flatMap { LogChannel(rawValue: $0) }
        let rest = text.dropFirst(channel == nil ? 0 : 1)
        self.text = String(rest.last == "\r" ? rest.dropLast() : rest)
    }

    /// The text as it is shown; what the master itself says stands back.
    func shown(_ paint: TextPainter) -> String {
        let text = text.makingControlsVisible(keepingTabs: true)
        return channel == .header ? paint(.dim, text) : text
    }
}
