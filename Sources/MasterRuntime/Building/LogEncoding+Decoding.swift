internal import MasterKit

extension LogEncoding {
    /// What a command has to say, with its output in UTF-8.
    func decoded(_ update: CommandUpdate) -> CommandUpdate {
        guard case .output(let stream, let bytes) = update.content else { return update }
        return CommandUpdate(.output(stream, utf8(bytes)), elapsed: update.elapsed)
    }

    /// Output in UTF-8, in which a byte of ASCII that is none is the replacement character.
    ///
    /// Each byte is a character, so the pieces of an output can be cut anywhere.
    private func utf8(_ bytes: [UInt8]) -> [UInt8] {
        if self == .utf8 || bytes.allSatisfy({ $0 < 0x80 }) { return bytes }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            let isKnown = byte < 0x80 || self == .latin1
            text.append(contentsOf: (isKnown ? Unicode.Scalar(byte) : "\u{FFFD}").utf8)
        }
        return text
    }
}
