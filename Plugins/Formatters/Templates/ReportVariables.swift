import MasterKit

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
            return "a report has no '\(name)'; \(Suggestion.remedy(for: name, among: names))"
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
