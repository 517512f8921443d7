import MasterKit

/// The setting `format`: the body of reports as a value in which every text is a template.
struct ReportFormat: SettingValue {
    let value: ReportValue
    /// What must be known of a build for it.
    let needs: BuildDetails

    static var shape: String { "any value; its texts are templates" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportFormat? {
        let (value, paths) = decoder.readForReports { ReportValue(node, with: decoder) }
        warnOfEncodedText(node, decoder)
        return value.map { ReportFormat(value: $0, needs: needs($0, paths)) }
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

    private static func needs(_ value: ReportValue, _ paths: [[String]]) -> BuildDetails {
        let templates = value.templates
        return BuildDetails(
            usedBy: templates.map(\.text),
            paths + templates.flatMap { $0.variables.map(\.path) })
    }
}

/// A tag at the very top, such as `!Field build`, is read here, too.
extension ReportFormat: RenderableValue {}
