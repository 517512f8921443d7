extension String {
    /// The number of columns that a terminal gives to the text, which has no styles in it.
    var columns: Int {
        utf8.allSatisfy { $0 < 0x80 }
            ? utf8.count : unicodeScalars.reduce(0) { $0 + $1.columns }
    }

    /// The text in exactly as many columns: filled up with spaces, or cut with an ellipsis.
    func fitted(to width: Int, ellipsis: String = "…") -> String {
        let cut = cut(to: width, ellipsis: ellipsis)
        return cut + String(repeating: " ", count: Swift.max(0, width - cut.columns))
    }

    /// The text in at most as many columns, cut with an ellipsis where it is longer.
    func cut(to width: Int, ellipsis: String = "…") -> String {
        guard columns > width else { return self }
        guard width >= ellipsis.columns else { return "" }
        var cut = ""
        var room = width - ellipsis.columns
        for character in self {
            let columns = String(character).columns
            guard columns <= room else { break }
            cut.append(character)
            room -= columns
        }
        return cut + ellipsis
    }

    /// The text with the characters that would disturb a terminal made visible.
    ///
    /// - Parameter tabs: Whether tabs may stay.
    /// - Returns: A text without control characters but those tabs.
    func makingControlsVisible(keepingTabs tabs: Bool = false) -> String {
        guard unicodeScalars.contains(where: \.isControl) else { return self }
        var shown = ""
        for scalar in unicodeScalars {
            if !scalar.isControl || (tabs && scalar == "\t") {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += scalar == "\t" ? "    " : scalar.escaped(asASCII: true)
            }
        }
        return shown
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: value != 0x200D
        default: false
        }
    }

    /// The columns that a terminal gives to the scalar: 0, 1 or 2.
    fileprivate var columns: Int {
        if isASCII { return 1 }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        let isWide = properties.isEmojiPresentation || Self.wide.contains { $0.contains(value) }
        return isWide ? 2 : 1
    }

    /// The blocks whose characters are wide in Unicode's East Asian Width.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}
