internal import MasterKit

/// The symbols that show the state of a build or step.
struct StatusSymbols: Sendable {
    /// Whether non-ASCII characters can be shown.
    let hasUnicode: Bool

    /// The symbol for something that has not started.
    var pending: String { hasUnicode ? "○" : "." }

    /// The ellipsis for truncated text.
    var ellipsis: String { hasUnicode ? "…" : "..." }

    /// The symbol for a result; `nil` means running.
    func callAsFunction(_ results: Results?) -> String {
        switch results {
        case .success: hasUnicode ? "✓" : "+"
        case .warnings: "!"
        case .failure, .exception: hasUnicode ? "✗" : "x"
        case .skipped: "-"
        case .retry: hasUnicode ? "↻" : "r"
        case .cancelled: hasUnicode ? "⊘" : "c"
        case nil: hasUnicode ? "●" : "*"
        }
    }
}

extension Duration {
    /// The duration with readable precision: `0.04 s`, `3.1 s`, `42 s`, `5 m 02 s`.
    var forPeople: String {
        let seconds = Swift.max(
            0, Double(components.seconds) + Double(components.attoseconds) / 1e18)
        switch seconds {
        case ..<0.995: return Self.decimal(seconds, places: 2) + " s"
        case ..<9.95: return Self.decimal(seconds, places: 1) + " s"
        case ..<59.5: return "\(Int(seconds.rounded())) s"
        case ..<3599.5:
            let whole = Int(seconds.rounded())
            return "\(whole / 60) m \(Self.twoDigits(whole % 60)) s"
        default:
            let minutes = Int((seconds / 60).rounded())
            return "\(minutes / 60) h \(Self.twoDigits(minutes % 60)) m"
        }
    }

    private static func decimal(_ value: Double, places: Int) -> String {
        let factor = places == 1 ? 10 : 100
        let whole = Int((value * Double(factor)).rounded())
        let fraction = String(whole % factor)
        let zeros = String(repeating: "0", count: places - fraction.count)
        return "\(whole / factor).\(zeros)\(fraction)"
    }

    private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

extension Int {
    /// The number of bytes in a human-readable format: `17 B`, `1.5 KiB`, `20.0 MiB`.
    var bytesForPeople: String {
        switch self {
        case ..<1024: "\(self) B"
        case ..<(1 << 20): tenths(of: 1 << 10) + " KiB"
        default: tenths(of: 1 << 20) + " MiB"
        }
    }

    private func tenths(of unit: Int) -> String {
        let tenths = (self * 10 + unit / 2) / unit
        return "\(tenths / 10).\(tenths % 10)"
    }
}
