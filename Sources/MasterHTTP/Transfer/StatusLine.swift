/// The first line of an answer.
struct StatusLine {
    let status: Int
    let reason: String

    /// Reads the line at the beginning of the bytes; nil when it is none.
    init?(_ head: [UInt8]) {
        let end = head.firstIndex { $0 == 0x0A || $0 == 0x0D } ?? head.endIndex
        let parts = head[..<end].split(separator: 0x20, maxSplits: 2)
        guard parts.count >= 2, parts[1].count == 3, let status = Self.number(parts[1]) else {
            return nil
        }
        self.status = status
        reason = parts.count > 2 ? HTTPSyntax.text(parts[2]) : ""
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
    }
}
