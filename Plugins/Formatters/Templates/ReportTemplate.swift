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
        /// Where it stands in a template that is a file of its own, for the end of a message.
        let addition: String
    }

    static var shape: String { "a text with {{ name }} in it" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportTemplate? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        do {
            let text = try TemplateText(parsing: scalar.value)
            let places = ScalarPlaces(of: node)
            let uses = text.variables.filter { !$0.hasDefault }.map { variable in
                let place = Place(variable.range, of: scalar.value, at: node, places)
                return Use(path: variable.path, range: place.range, addition: place.addition)
            }
            return ReportTemplate(text: text, uses: uses)
        } catch {
            let place = Place(error.range, of: scalar.value, at: node, ScalarPlaces(of: node))
            return decoder.error(error.message + place.addition, at: place.range)
        }
    }

    /// Reports names that neither a report nor the formatter has.
    func check(beside names: [String], _ settings: SettingsCheck) {
        for use in uses {
            guard let fault = ReportVariables.fault(in: use.path, beside: names) else { continue }
            settings.error(fault + use.addition, at: use.range)
        }
    }
}

/// Where a part of a template is: in master.yaml, or in a file that this refers to.
private struct Place {
    let range: SourceRange?
    let addition: String

    init(
        _ part: Range<Int>, of template: String, at node: YAMLNode, _ places: ScalarPlaces
    ) {
        if let range = places.exactRange(ofUTF8: part) {
            (self.range, addition) = (range, "")
        } else {
            range = node.range
            addition = TemplateError("", at: part, in: template).description
        }
    }
}

extension BuildDetails {
    /// What a template uses.
    init(usedBy template: TemplateText) {
        self.init(usedBy: [template.text], template.variables.map(\.path))
    }
}
