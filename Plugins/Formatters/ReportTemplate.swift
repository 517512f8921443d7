import FoundationEssentials
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
    /// What a template uses.
    init(usedBy template: TemplateText) {
        self.init(usedBy: [template.text], template.variables.map(\.path))
    }
}

/// Which keys the records of reports have, as the records themselves tell.
///
/// What may be empty or null, such as properties and the parent of a build, has no keys here.
enum ReportShape {
    /// The variables that are records, or lists of them, by name.
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

/// Finds names in templates and fields of reports that lead nowhere.
enum ReportVariables {
    /// What is wrong with a path, in a sentence.
    ///
    /// - Parameters:
    ///   - path: The names on the way to a value.
    ///   - others: Names that there are beside those of every report.
    /// - Returns: `nil` when the path leads somewhere, or when that can't be known.
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
    /// What values of a report are computed from.
    var renderContext: RenderContext {
        RenderContext(
            properties: properties, sourceStamps: sourceStamps, results: results ?? .success,
            template: variables)
    }
}

extension BuildDetails {
    /// What templates and fields name, and what loops in them may reach.
    ///
    /// - Parameters:
    ///   - templates: The texts of templates.
    ///   - paths: What templates and fields name.
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
    /// Reads a value that is computed for each report.
    ///
    /// A name that no report has is an error, and so is a secret where the value is a text that is
    /// stored until it has arrived.
    ///
    /// - Parameters:
    ///   - allowsSecrets: Whether the value can keep references to secrets.
    ///   - read: Reads the value.
    /// - Returns: The value, and what the expressions in it name.
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
