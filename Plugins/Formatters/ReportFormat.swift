import MasterKit

/// The setting `format`: the body of reports as a value in which every text is a template.
struct ReportFormat: SettingValue {
    let value: ReportValue
    /// What must be known of a build for it.
    let needs: BuildDetails

    static var shape: String { "any value; its texts are templates" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportFormat? {
        let secretsBefore = decoder.secretUses.count
        let usesBefore = decoder.templateUses.count
        let value = decoder.within(.report) { ReportValue(node, with: decoder) }
        for use in decoder.secretUses[secretsBefore...] {
            decoder.error(
                "the body of a report is stored until it is delivered and can't hold the secret "
                    + "'\(use.name)'; send it in 'headers' or 'auth'", at: use.range)
        }
        let fields = decoder.templateUses[usesBefore...]
        for use in fields { ReportVariables.check(use.path, at: use.range, with: decoder) }
        warnOfEncodedText(node, decoder)
        guard let value else { return nil }
        let paths = fields.map(\.path) + value.templates.flatMap { $0.variables.map(\.path) }
        return ReportFormat(value: value, needs: needs(value, paths))
    }

    /// Warns of a JSON text where the value itself could stand.
    private static func warnOfEncodedText(_ node: YAMLNode, _ decoder: SettingDecoder) {
        guard let text = node.scalar?.value, text.hasPrefix("{") || text.hasPrefix("["),
            !text.hasPrefix("{{"), !text.hasPrefix("{%"), !text.hasPrefix("{#")
        else { return }
        decoder.warning(
            "'format' is one text here and arrives as a text in quotes; write it as a mapping "
                + "or a list of YAML", at: node.range)
    }

    /// What is to be fetched: what templates and fields name, and what a loop in them may reach.
    private static func needs(_ value: ReportValue, _ paths: [[String]]) -> BuildDetails {
        let usesSteps = paths.contains { $0.starts(with: ["build", "steps"]) }
        let texts = value.templates.map(\.text) + paths.map { $0.joined(separator: ".") }
        let usesLogs = usesSteps && texts.contains { $0.contains(".logs") }
        let usesContent = usesLogs && texts.contains { $0.contains(".content") }
        return BuildDetails(
            properties: value.readsProperties
                || paths.contains(where: ReportVariables.needsProperties),
            steps: usesSteps, logs: usesLogs, logContents: usesContent ? .all : .none)
    }
}

extension ReportValue {
    /// Whether an expression in the value may read properties.
    fileprivate var readsProperties: Bool {
        switch self {
        case .computed(_, let readsProperties): readsProperties
        case .list(let values): values.contains(where: \.readsProperties)
        case .mapping(let pairs):
            pairs.contains { $0.key.readsProperties || $0.value.readsProperties }
        case .constant, .template: false
        }
    }
}

/// A tag at the very top, such as `!Field build`, is read here, too.
extension ReportFormat: RenderableValue {}
