import MasterKit

/// A setting whose text is a template of reports.
struct ReportTemplate: SettingValue {
    /// The template.
    let text: TemplateText
    /// What it names, and where.
    let uses: [Use]

    /// A name in a template that has no default there.
    struct Use {
        /// The names on the way to the value.
        let path: [String]
        /// Where it stands.
        let range: SourceRange?
    }

    static var shape: String { "a text with {{ name }} in it" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportTemplate? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        do {
            let text = try TemplateText(parsing: scalar.value)
            let uses = text.variables.filter { !$0.hasDefault }.map { variable in
                Use(path: variable.path, range: node.range(ofUTF8: variable.range) ?? node.range)
            }
            return ReportTemplate(text: text, uses: uses)
        } catch {
            return decoder.error(
                error.message, at: node.range(ofUTF8: error.range) ?? node.range)
        }
    }

    /// Reports names that neither a report nor the formatter has.
    func check(beside names: [String], _ settings: SettingsCheck) {
        for use in uses {
            guard let fault = ReportVariables.fault(in: use.path, beside: names) else { continue }
            settings.error(fault, at: use.range)
        }
    }
}

extension BuildDetails {
    /// What a template uses.
    init(usedBy template: TemplateText) {
        self.init(usedBy: [template.text], template.variables.map(\.path))
    }
}
