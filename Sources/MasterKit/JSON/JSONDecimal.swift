/// The exact value of a decimal number, in the one form each value has: `0.digits × 10^exponent`.
struct JSONDecimal: Hashable {
    private let isNegative: Bool
    /// Without zeros at either end; empty for zero.
    private let digits: [UInt8]
    private let exponent: Int

    /// Makes the value of a number in the spelling of JSON.
    init(_ json: String) {
        var bytes = Array(json.utf8)[...]
        let hasMinus = bytes.first == UInt8(ascii: "-")
        if hasMinus { bytes.removeFirst() }
        let mantissa = bytes.prefix { $0 != UInt8(ascii: "e") && $0 != UInt8(ascii: "E") }
        let whole = mantissa.prefix { $0 != UInt8(ascii: ".") }
        var all = Array(whole)
        all += mantissa[whole.endIndex...].dropFirst()
        let leadingZeros = all.prefix { $0 == UInt8(ascii: "0") }.count
        var significant = all[leadingZeros...]
        while significant.last == UInt8(ascii: "0") { significant.removeLast() }
        digits = Array(significant)
        guard !digits.isEmpty else {
            isNegative = false
            exponent = 0
            return
        }
        isNegative = hasMinus
        let written = Self.clamped(bytes[mantissa.endIndex...].dropFirst())
        exponent = written + whole.count - leadingZeros
    }

    /// The value as an integer, when it is one and fits.
    var intValue: Int? {
        guard !digits.isEmpty else { return 0 }
        guard exponent >= digits.count, exponent <= 19 else { return nil }
        let zeros = String(repeating: "0", count: exponent - digits.count)
        let magnitude = String(decoding: digits, as: UTF8.self) + zeros
        return Int(isNegative ? "-" + magnitude : magnitude)
    }

    /// Reads an exponent; beyond ±10^17 all are alike, which no two short spellings can show.
    private static func clamped(_ text: ArraySlice<UInt8>) -> Int {
        guard !text.isEmpty else { return 0 }
        let limit = 100_000_000_000_000_000
        let isNegative = text.first == UInt8(ascii: "-")
        var value = 0
        for byte in text where byte >= UInt8(ascii: "0") {
            value = min(value * 10 + Int(byte - UInt8(ascii: "0")), limit)
        }
        return isNegative ? -value : value
    }

    /// The decimal digits of a whole number given by its digits in another radix.
    static func digits(of values: [UInt32], radix: UInt32) -> String {
        var limbs: [UInt64] = [0]  // base 10^9, lowest first
        for value in values {
            var carry = UInt64(value)
            for index in limbs.indices {
                let product = limbs[index] * UInt64(radix) + carry
                limbs[index] = product % 1_000_000_000
                carry = product / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
        }
        var text = ""
        for limb in limbs.reversed() {
            let part = String(limb)
            text += text.isEmpty ? part : String(repeating: "0", count: 9 - part.count) + part
        }
        return text
    }
}
