import FoundationEssentials
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
        let uses = parsed.template.variables.filter { !$0.hasDefault }.map { variable in
            let place = Place(variable.range, of: scalar.value, at: node, places)
            return Use(path: variable.path, range: place.range, addition: place.addition)
        }
        return ReportTemplate(text: parsed.template, uses: uses)
    }

    /// Reports names that exist neither in reports nor in the formatter.
    func check(beside names: [String], _ settings: SettingsCheck) {
        for use in uses {
            guard let fault = ReportVariables.fault(in: use.path, beside: names) else { continue }
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

/// The keys of the records in reports, taken from sample records.
///
/// Values that may be empty or null, such as properties and the parent of a build, have no keys
/// here.
enum ReportShape {
    /// The variables that are records or lists of records, by name.
    static let records: [String: JSONValue] = [
        "build": .object(build), "builds": [.object(build)], "buildset": .object(buildset),
        "failed_step": .object(failedStep), "step": .object(step),
    ]

    private static let moment = Date(timeIntervalSince1970: 0)

    private static let buildset = Buildset(
        id: 1, reason: "", submittedAt: moment, sourceStamps: [SourceStamp(createdAt: moment)]
    ).json

    private static let step = StepRecord(id: 1, number: 1, buildID: 1, name: "").json

    private static let log = Log(id: 1, stepID: 1, name: "", slug: "", kind: .text).json.merging([
        "stepname": "", "url": "", "url_raw": "", "url_raw_inline": "",
        "content": ["logid": 1, "firstline": 0, "content": ""],
    ])

    private static let failedStep = step.merging([
        "logs": [.object(log.merging(["text": ""]))]
    ])

    private static let build = Build(
        id: 1, number: 1, builderID: 1, requestID: 1, workerID: 1, startedAt: moment
    ).json.merging([
        "buildrequest": .object(
            BuildRequest(id: 1, buildsetID: 1, builderID: 1, submittedAt: moment).json),
        "buildset": .object(buildset), "parentbuild": .null, "parentbuilder": .null,
        "builder": .object(Builder(id: 1, name: "").json), "url": "",
        "steps": [.object(failedStep)],
    ])
}

/// Finds names in templates and fields that do not exist in reports.
enum ReportVariables {
    /// Checks a path and describes what is wrong with it.
    ///
    /// - Parameters:
    ///   - path: The names in the path to a value.
    ///   - others: Names that exist in addition to those in all reports.
    /// - Returns: A sentence, or `nil` if the path exists or cannot be checked.
    static func fault(in path: [String], beside others: [String] = []) -> String? {
        guard let name = path.first, !others.contains(name) else { return nil }
        guard ReportTopic.variableNames.contains(name) else {
            let names = (ReportTopic.variableNames + others).sorted()
            let remedy =
                name.contains("-")
                ? "write spaces around '-' to subtract"
                : Suggestion.remedy(for: name, among: names)
            return "a report has no '\(name)'; \(remedy)"
        }
        guard var value = ReportShape.records[name] else { return nil }
        for (index, part) in path.enumerated().dropFirst() {
            switch value {
            case .object(let object) where !object.isEmpty:
                guard let next = object[part] else {
                    let owner = path[..<index].joined(separator: ".")
                    return part == "count" ? nil : fault(of: part, in: owner, object.keys)
                }
                value = next
            case .array(let array):
                guard let element = array.first, part != "count" else { return nil }
                value = element
            default: return nil
            }
        }
        return nil
    }

    private static func fault(of name: String, in owner: String, _ keys: [String]) -> String {
        let article = ["build": "a build", "step": "a step", "buildset": "a buildset"]
        let remedy = Suggestion.remedy(for: name, among: keys.sorted())
        return "\(article[owner] ?? "'\(owner)'") has no '\(name)'; \(remedy)"
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
            previousResults: names.contains("previous_results"))
    }
}

extension SettingDecoder {
    /// Decodes a value that is rendered for each report.
    ///
    /// Names that do not exist in reports are errors, and so are secrets in values that are stored
    /// until delivery.
    ///
    /// - Parameters:
    ///   - allowsSecrets: Whether the value can contain references to secrets.
    ///   - read: Decodes the value.
    /// - Returns: The value, and the paths used by its expressions.
    func readForReports<Value>(
        allowingSecrets allowsSecrets: Bool = false, _ read: () -> Value?
    ) -> (value: Value?, paths: [[String]]) {
        let secretsBefore = secretUses.count
        let usesBefore = templateUses.count
        let value = within(.report, read)
        for use in secretUses[secretsBefore...] where !allowsSecrets {
            error(
                "the message of a formatter is stored until it is delivered and can't hold the "
                    + "secret '\(use.name)'; send it in 'format', 'headers' or 'auth' of the "
                    + "reporter", at: use.range)
        }
        let uses = templateUses[usesBefore...]
        for use in uses {
            if let fault = ReportVariables.fault(in: use.path) { error(fault, at: use.range) }
        }
        return (value, uses.map(\.path))
    }
}
