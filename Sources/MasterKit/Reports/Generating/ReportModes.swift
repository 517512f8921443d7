/// The setting `mode`: which ends are reported.
public struct ReportModes: SettingValue, Hashable {
    /// One reason to report.
    public enum Mode: String, SettingEnumeration {
        /// The result is another one than before.
        case change
        /// It failed.
        case failing
        /// It succeeded.
        case passing
        /// It failed, and did not before.
        case problem
        /// It ended with warnings.
        case warnings
        /// Something went wrong that is no fault of the build.
        case exception
        /// It was stopped.
        case cancelled
    }

    /// The reasons, any of which is enough.
    public let modes: [Mode]

    /// Makes modes of a list.
    public init(_ modes: [Mode]) {
        self.modes = modes
    }

    /// Every result but skipped and retry.
    public static let all = ReportModes([.failing, .passing, .warnings, .exception, .cancelled])

    /// The modes of a generator that is given none.
    public static let standard = ReportModes([.failing, .passing, .warnings])

    /// No mode: of a generator that does not pick by results.
    public static let none = ReportModes([])

    /// Whether it matters how it ended before.
    public var comparesResults: Bool { modes.contains(.change) || modes.contains(.problem) }

    /// Whether an end is reported.
    ///
    /// - Parameters:
    ///   - results: How it ended.
    ///   - previous: How it ended before; `nil` when there was nothing before.
    /// - Returns: Whether a mode names it.
    public func admit(_ results: Results, after previous: Results?) -> Bool {
        modes.contains { mode in
            switch mode {
            case .failing: results == .failure
            case .passing: results == .success
            case .warnings: results == .warnings
            case .exception: results == .exception
            case .cancelled: results == .cancelled
            case .change: previous.map { $0 != results } ?? false
            case .problem: results == .failure && previous.map { $0 != .failure } ?? false
            }
        }
    }
}

extension ReportModes {
    /// A shortcut or a list.
    public static var shape: String { "all, or one or a list of \(names.joined(separator: ", "))" }

    private static let names = Mode.allCases.map(\.rawValue)

    /// Reads `all`, one mode, or a list of them; `warnings` alone means failures, too.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportModes? {
        guard let items = node.sequence else { return shortcut(node, decoder) }
        guard !items.isEmpty else {
            return decoder.error(
                "\(decoder.subject) is empty and would report nothing; name a mode",
                at: node.range)
        }
        if let all = items.first(where: { $0.scalarText == "all" }) {
            return decoder.error(
                "'all' stands alone: write 'mode: all', or list the modes", at: all.range)
        }
        return decoder.decode([Mode].self, from: node).map { ReportModes($0) }
    }

    private static func shortcut(_ node: YAMLNode, _ decoder: SettingDecoder) -> ReportModes? {
        switch node.scalarText {
        case "all": return all
        case "warnings": return ReportModes([.failing, .warnings])
        case let text? where !node.isNull && Mode(rawValue: text) == nil:
            let remedy = Suggestion.remedy(for: text, among: ["all"] + names)
            return decoder.error("\(decoder.subject) can't be '\(text)'; \(remedy)", at: node.range)
        default:
            guard !node.isNull, node.scalar != nil else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.decode(Mode.self, from: node).map { ReportModes([$0]) }
        }
    }
}
