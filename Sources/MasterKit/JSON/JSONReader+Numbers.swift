extension JSONReader {
    /// Reads a number, whose first byte is the present one.
    mutating func readNumber() throws(JSONParserError) -> JSONNumber {
        let start = offset
        let isNegative = take(UInt8(ascii: "-"))
        let firstDigit = offset
        skipDigits()
        guard offset > firstDigit else {
            throw error("expected a digit after '-', found \(found())")
        }
        guard bytes[firstDigit] != UInt8(ascii: "0") || offset == firstDigit + 1 else {
            throw error("a number may not begin with 0", at: firstDigit)
        }
        let wholeEnd = offset
        try readFraction()
        try readExponent()
        if offset == wholeEnd, let value = smallInteger(firstDigit..<offset, isNegative) {
            return JSONNumber(value)
        }
        return JSONNumber(
            storage: .json(String(decoding: bytes[start..<offset], as: UTF8.self))
        )
    }

    /// The integer of digits that surely fit; minus zero is none, as it keeps its sign.
    private func smallInteger(_ digits: Range<Int>, _ isNegative: Bool) -> Int? {
        guard digits.count <= 18 else { return nil }
        var value = 0
        for index in digits {
            value = value * 10 + Int(bytes[index] - UInt8(ascii: "0"))
        }
        guard isNegative else { return value }
        return value == 0 ? nil : -value
    }

    private mutating func readFraction() throws(JSONParserError) {
        guard take(UInt8(ascii: ".")) else { return }
        try expectDigits("after '.'")
    }

    private mutating func readExponent() throws(JSONParserError) {
        guard take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) else { return }
        if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
        try expectDigits("in the exponent")
    }

    private mutating func expectDigits(_ place: String) throws(JSONParserError) {
        let start = offset
        skipDigits()
        guard offset > start else { throw error("expected a digit \(place), found \(found())") }
    }

    private mutating func skipDigits() {
        while let byte = current, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            offset += 1
        }
    }
}
