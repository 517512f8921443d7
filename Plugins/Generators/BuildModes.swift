import MasterKit

/// The setting `mode`: which finished builds are reported.
struct BuildModes: SettingValue {
    /// One reason to report a build.
    enum Mode: String, SettingEnumeration {
        case change
        case failing
        case passing
        case problem
        case warnings
        case exception
        case cancelled
    }

    let modes: [Mode]

    /// Every result but a build that is skipped or retried.
    static let all = BuildModes(modes: [.failing, .passing, .warnings, .exception, .cancelled])

    /// The modes without the setting.
    static let standard = BuildModes(modes: [.failing, .passing, .warnings])

    static var shape: String { "all, or one or a list of \(names.joined(separator: ", "))" }

    private static let names = Mode.allCases.map(\.rawValue)

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BuildModes? {
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
        return decoder.decode([Mode].self, from: node).map { BuildModes(modes: $0) }
    }

    private static func shortcut(_ node: YAMLNode, _ decoder: SettingDecoder) -> BuildModes? {
        switch node.scalarText {
        case "all": return all
        case "warnings": return BuildModes(modes: [.failing, .warnings])
        case let text? where !node.isNull && Mode(rawValue: text) == nil:
            let remedy = Suggestion.remedy(for: text, among: ["all"] + names)
            return decoder.error("\(decoder.subject) can't be '\(text)'; \(remedy)", at: node.range)
        default:
            guard !node.isNull, node.scalar != nil else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.decode(Mode.self, from: node).map { BuildModes(modes: [$0]) }
        }
    }

    /// Whether the build before matters.
    var comparesBuilds: Bool { modes.contains(.change) || modes.contains(.problem) }

    /// Whether a finished build is reported.
    func admits(_ results: Results, after previous: Results?) -> Bool {
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
