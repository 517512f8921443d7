internal import MasterKit

/// One line of a log, without the mark of its channel.
struct LogLine: Sendable, Hashable {
    /// Which kind of line it is; `nil` for one without a mark.
    let channel: LogChannel?
    /// The text.
    let text: String

    /// Reads a line that begins with the mark of its channel.
    init(marked bytes: some Collection<UInt8>) {
        channel = bytes.first.flatMap { LogChannel(rawValue: $0) }
        let text = String(decoding: bytes.dropFirst(channel == nil ? 0 : 1), as: UTF8.self)
        self.text = text.last == "\r" ? String(text.dropLast()) : text
    }

    /// Reads the lines of a piece of a log; the end of the last one may be missing.
    static func lines(marked bytes: some Collection<UInt8>) -> [LogLine] {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { LogLine(marked: $0) }
    }

    /// The text as it is shown; what the master itself says stands back.
    func shown(_ paint: TextPainter) -> String {
        let text = text.makingControlsVisible(keepingTabs: true)
        return channel == .header ? paint(.dim, text) : text
    }
}
