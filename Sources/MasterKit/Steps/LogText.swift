extension StringProtocol {
    /// The lines of a log's content, without their line feeds.
    ///
    /// A carriage return before one is a part of the line; for Swift, both are one character.
    package var logLines: [SubSequence] {
        utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            self[$0.startIndex..<$0.endIndex]
        }
    }

    /// Whether this line of a stream is one of the master's own.
    package var isHeaderLine: Bool { utf8.first == LogChannel.header.rawValue }

    /// This line of a stream without the letter of its channel.
    package var withoutChannel: SubSequence { self[utf8.dropFirst().startIndex...] }
}
