import MasterKit

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
                [".\(member)", "[\"\(member)\"]", "['\(member)']"].contains { text.contains($0) }
            }
        }
        let names = Set(paths.compactMap(\.first))
        let usesBuilds = names.contains("build") || names.contains("builds")
        let usesSteps = usesBuilds && mention("steps")
        let usesLogs = usesSteps && mention("logs")
        self.init(
            properties: paths.contains(["build"]) || paths.contains(["builds"])
                || usesBuilds && mention("properties"),
            steps: usesSteps, logs: usesLogs,
            logContents: usesLogs && mention("content") ? .all : .none,
            previousResults: names.contains("previous_results"))
    }
}
