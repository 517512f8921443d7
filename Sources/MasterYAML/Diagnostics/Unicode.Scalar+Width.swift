extension Unicode.Scalar {
    /// Whether the scalar would disturb a terminal or cannot be seen.
    var needsEscape: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: true
        case .format: value != 0x200D
        default: false
        }
    }

    /// The columns that a terminal gives to the scalar: 0, 1 or 2.
    var columnWidth: Int {
        if isASCII { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        let isWide =
            properties.isEmojiPresentation
            || Self.wideRanges.contains { $0.contains(value) }
        return isWide ? 2 : 1
    }

    /// The blocks whose characters are "wide" in Unicode's East Asian Width.
    private static let wideRanges: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}

extension String {
    /// The text with its control characters in escaped form, fit for one line of a terminal.
    var escapingControls: String {
        guard unicodeScalars.contains(where: \.needsEscape) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            text += scalar.needsEscape ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }
}
