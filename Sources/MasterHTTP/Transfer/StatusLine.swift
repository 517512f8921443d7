/// The first line of an answer.
struct StatusLine {
    let status: Int
    let reason: String

    /// Reads the line at the beginning of the bytes; nil when it is none.
    init?(_ head: [UInt8]) {
        let end = head.firstIndex { $0 == 0x0A || $0 == 0x0D } ?? head.endIndex
        guard let space = head[..<end].firstIndex(of: 0x20), end - space >= 4,
            let status = Self.number(head[(space + 1)..<(space + 4)])
        else { return nil }
        let rest = head[(space + 4)..<end]
        guard rest.isEmpty || rest.first == 0x20 else { return nil }
        self.status = status
        reason = HTTPSyntax.text(rest.dropFirst())
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
