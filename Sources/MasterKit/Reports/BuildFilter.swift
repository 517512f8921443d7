/// The settings by which generators select builds; a build must match all that are given.
///
/// Include it in your generator with ``SettingGroup``, and call ``check(_:)`` from the generator's
/// own `check`. It only uses the event, so it works regardless of what a formatter wants fetched.
public struct BuildFilter: Settings {
    @Setting("Report only builders that have one of these tags.", .notEmpty)
    var tags: [TagName]?

    @Setting("Report only these builders.", .notEmpty)
    var builders: [BuilderReference]?

    @Setting("Report only builds whose property 'scheduler' is one of these.", .notEmpty)
    var schedulers: [String]?

    @Setting("Report only builds whose property 'branch' is one of these.", .notEmpty)
    var branches: [String]?

    /// Creates a filter that matches everything.
    public init() {}

    /// Reports filters that exclude each other.
    public func check(_ settings: SettingsCheck) {
        guard tags != nil, builders != nil else { return }
        settings.error("'tags' and 'builders' can't stand together; keep one", at: "builders")
    }

    /// Whether the event of a build, a step or a request matches the filter.
    public func admits(_ event: Event) -> Bool {
        if let tags {
            let wanted = tags.map(\.text)
            if !event.builderTags.contains(where: wanted.contains) { return false }
        }
        return admits(event.builderName, among: builders?.map(\.name))
            && admits(event.property("scheduler")?.text, among: schedulers)
            && admits(event.branch, among: branches)
    }

    private func admits(_ name: String?, among names: [String]?) -> Bool {
        guard let names else { return true }
        return name.map(names.contains) ?? false
    }
}

extension Event {
    /// The branch from the property, or from the source stamp for a request, which does not have
    /// the property yet.
    fileprivate var branch: String? {
        if let property = property("branch") { return property.text ?? "" }
        let stamps = buildRecord?["buildset"]?["sourcestamps"]?.arrayValue ?? []
        return stamps.count == 1 ? stamps[0]["branch"]?.text ?? "" : nil
    }
}

/// The setting `mode`: which outcomes are reported.
public struct ReportModes: SettingValue, Hashable {
    /// One reason to report.
    public enum Mode: String, SettingEnumeration {
        /// The result differs from the previous one.
        case change
        /// The result is failure.
        case failing
        /// The result is success.
        case passing
        /// The result is failure, and the previous result was not.
        case problem
        /// The result is warnings.
        case warnings
        /// The result is exception.
        case exception
        /// The result is cancelled.
        case cancelled
    }

    /// The reasons to report, any of which is sufficient.
    public let modes: [Mode]

    /// Creates modes from a list.
    public init(_ modes: [Mode]) {
        self.modes = modes
    }

    /// Every result except skipped and retry.
    public static let all = ReportModes([.failing, .passing, .warnings, .exception, .cancelled])

    /// The default modes of a generator.
    public static let standard = ReportModes([.failing, .passing, .warnings])

    /// No modes, for a generator that does not select by results.
    public static let none = ReportModes([])

    /// Whether the previous results are needed.
    package var comparesResults: Bool { modes.contains(.change) || modes.contains(.problem) }

    /// Whether an outcome is reported.
    ///
    /// - Parameters:
    ///   - results: The results.
    ///   - previous: The previous results, or `nil` if there are none.
    /// - Returns: Whether a mode matches.
    package func admit(_ results: Results, after previous: Results?) -> Bool {
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
    /// A description of the accepted values, for error messages.
    public static var shape: String { "all, or one or a list of \(names.joined(separator: ", "))" }

    /// The form of the accepted values.
    public static var form: ValueForm { .either([.choice(["all"] + names), .list(of: Mode.form)]) }

    private static let names = Mode.allCases.map(\.rawValue)

    /// Reads `all`, one mode, or a list of modes; `warnings` alone includes failures.
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
            let remedy = Suggestion.choice(for: text, among: ["all"] + names)
            return decoder.error("\(decoder.subject) can't be '\(text)'; \(remedy)", at: node.range)
        default:
            guard !node.isNull, node.scalar != nil else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.decode(Mode.self, from: node).map { ReportModes([$0]) }
        }
    }
}
