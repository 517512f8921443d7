extension JSONWriter {
    /// Appends a text in quotes, escaped.
    func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        let last: UInt8 = escapesNonASCII ? 0x7F : 0xFF
        if text.utf8.allSatisfy({ Self.isPlain($0) && $0 <= last }) {
            bytes.append(contentsOf: text.utf8)
        } else if escapesNonASCII {
            writeEscapingNonASCII(text, into: &bytes)
        } else {
            for byte in text.utf8 {
                writeEscaping(byte, into: &bytes)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func writeEscapingNonASCII(_ text: String, into bytes: inout [UInt8]) {
        for unit in text.utf16 {
            if let byte = UInt8(exactly: unit), byte < 0x80 {
                writeEscaping(byte, into: &bytes)
            } else {
                writeEscape(unit, into: &bytes)
            }
        }
    }

    private func writeEscaping(_ byte: UInt8, into bytes: inout [UInt8]) {
        guard !Self.isPlain(byte) else { return bytes.append(byte) }
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: "\\\"".utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
        case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
        case UInt8(ascii: "\r"): bytes.append(contentsOf: "\\r".utf8)
        case UInt8(ascii: "\t"): bytes.append(contentsOf: "\\t".utf8)
        case 0x08: bytes.append(contentsOf: "\\b".utf8)
        case 0x0C: bytes.append(contentsOf: "\\f".utf8)
        default: writeEscape(UInt16(byte), into: &bytes)
        }
    }

    private func writeEscape(_ unit: UInt16, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] as [UInt16] {
            let digit = UInt8(truncatingIfNeeded: unit >> shift) & 0xF
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
}
