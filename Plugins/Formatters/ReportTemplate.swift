import MasterKit

/// A setting with a template for reports.
struct ReportTemplate: SettingValue {
    let text: TemplateText
    /// The names used in it, with their positions.
    let uses: [Use]

    /// A name in a template that is used without a default.
    struct Use {
        /// The path to the value.
        let path: [String]
        /// The position in master.yaml.
        let range: SourceRange?
        /// A suffix for messages with the position, if the template is in a separate file.
        let addition: String
    }

    static var shape: String { "a text with {{ name }} in it" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportTemplate? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        let parsed = TemplateText.parse(scalar.value)
        let places = ScalarPlaces(of: node)
        for error in parsed.errors {
            let place = Place(error.range, of: scalar.value, at: node, places)
            decoder.error(error.message + place.addition, at: place.range)
        }
        decoder.omit(parsed.omittedCount)
        for path in parsed.template.variables.map(\.path) {
            let rest = path.first == "build" ? path.dropFirst() : path[...]
            guard rest.count > 1, rest.first == "properties" else { continue }
            decoder.noteUse(ofProperty: rest[rest.startIndex + 1])
        }
        let uses = parsed.template.variables.filter { !$0.hasDefault }.map { variable in
            let place = Place(variable.range, of: scalar.value, at: node, places)
            return Use(path: variable.path, range: place.range, addition: place.addition)
        }
        return ReportTemplate(text: parsed.template, uses: uses)
    }

    /// Reports names that exist neither in reports nor in the formatter.
    func check(beside names: [String], _ settings: SettingsCheck) {
        for use in uses {
            guard let fault = ReportTopic.fault(in: use.path, beside: names) else { continue }
            settings.error(fault + use.addition, at: use.range)
        }
    }
}

/// The position of a part of a template: in master.yaml, or in a file it refers to.
private struct Place {
    let range: SourceRange?
    let addition: String

    init(_ part: Range<Int>, of template: String, at node: YAMLNode, _ places: ScalarPlaces) {
        if let range = places.exactRange(ofUTF8: part) {
            (self.range, addition) = (range, "")
        } else {
            range = node.range
            addition = TemplateError("", at: part, in: template).description
        }
    }
}

extension BuildDetails {
    /// The details used by a template.
    init(usedBy template: TemplateText) {
        self.init(usedBy: [template.text], template.variables.map(\.path))
    }
}

extension ReportTopic {
    /// The context for rendering values of a report.
    var renderContext: RenderContext {
        RenderContext(
            properties: properties, sourceStamps: sourceStamps, results: results ?? .success,
            template: variables)
    }
}

extension BuildDetails {
    /// The details used by templates and fields, including those that loops may access.
    ///
    /// - Parameters:
    ///   - templates: The texts of templates.
    ///   - paths: The paths used by templates and fields.
    init(usedBy templates: [String], _ paths: [[String]]) {
        let texts = templates + paths.map { $0.joined(separator: ".") }
        func mention(_ member: String) -> Bool {
            texts.contains { text in
                [
                    ".\(member)", "[\"\(member)\"]", "['\(member)']", "get(\"\(member)\"",
                    "get('\(member)'",
                ]
                .contains { text.contains($0) }
            }
        }
        let names = Set(paths.compactMap(\.first))
        let usesBuilds = names.contains("build") || names.contains("builds")
        let usesSteps = names.contains("failed_step") || usesBuilds && mention("steps")
        let usesLogs = usesSteps && mention("logs")
        let usesContents = usesLogs && (mention("content") || mention("text"))
        self.init(
            properties: paths.contains(["build"]) || paths.contains(["builds"])
                || usesBuilds && mention("properties"),
            steps: usesSteps, logs: usesLogs,
            logContents: usesContents ? .all : .none,
            previousResults: names.contains("previous_results"),
            changes: usesBuilds && mention("changes"))
    }
}
