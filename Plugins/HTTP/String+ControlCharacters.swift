extension String {
    /// Whether a character is in it that no line of text has: a line end, a NUL, an escape.
    var hasControlCharacter: Bool {
        utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }
}
