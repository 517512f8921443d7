/// The settings by which generators pick builds; a build must meet all that are given.
///
/// Take it into a generator of your own with ``SettingGroup``, and call ``check(_:)`` in its own
/// check. It looks at the event, so it works whatever a formatter wants to be fetched.
public struct BuildFilter: Settings {
    @Setting("Report only builders that have one of these tags.", .notEmpty)
    var tags: [String]?

    @Setting("Report only these builders.", .notEmpty)
    var builders: [String]?

    @Setting("Report only builds whose property 'scheduler' is one of these.", .notEmpty)
    var schedulers: [String]?

    @Setting("Report only builds whose property 'branch' is one of these.", .notEmpty)
    var branches: [String]?

    /// Makes a filter that lets everything through.
    public init() {}

    /// Finds filters that exclude each other.
    public func check(_ settings: SettingsCheck) {
        guard tags != nil, builders != nil else { return }
        settings.error("'tags' and 'builders' can't stand together; keep one", at: "builders")
    }

    /// Whether the event of a build, a step or a request is let through.
    public func admits(_ event: Event) -> Bool {
        if let tags, !event.builderTags.contains(where: tags.contains) { return false }
        return admits(event.builderName, among: builders)
            && admits(event.property("scheduler")?.text, among: schedulers)
            && admits(event.branch, among: branches)
    }

    private func admits(_ name: String?, among names: [String]?) -> Bool {
        guard let names else { return true }
        return name.map(names.contains) ?? false
    }
}

extension Event {
    /// The branch by property, or of a request, which has no such property yet, by its source.
    fileprivate var branch: String? {
        if let property = property("branch") { return property.text ?? "" }
        let stamps = buildRecord?["buildset"]?["sourcestamps"]?.arrayValue ?? []
        return stamps.count == 1 ? stamps[0]["branch"]?.text ?? "" : nil
    }
}

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
        /// Something went wrong that is not the build's fault.
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
    package var comparesResults: Bool { modes.contains(.change) || modes.contains(.problem) }

    /// Whether an end is reported.
    ///
    /// - Parameters:
    ///   - results: How it ended.
    ///   - previous: How it ended before; `nil` when there was nothing before.
    /// - Returns: Whether a mode names it.
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

/// What a generator adds to what a formatter wants.
public struct ReportOptions: Sendable, Hashable {
    /// The modes by which the generator picked the event; formatters speak accordingly.
    public var modes: ReportModes
    /// Which logs come with their content, in place of the formatter's choice.
    public var logContents: BuildDetails.LogContents?
    /// Whether the report has the patches of the sources.
    public var addsPatches: Bool

    /// Makes options.
    public init(
        modes: ReportModes = .none, logContents: BuildDetails.LogContents? = nil,
        addsPatches: Bool = false
    ) {
        self.modes = modes
        self.logContents = logContents
        self.addsPatches = addsPatches
    }
}
