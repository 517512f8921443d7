extension Report {
    /// Makes the report of a topic.
    init(_ message: Message, about topic: ReportTopic, _ options: ReportOptions) {
        self.init(
            body: message.body, subject: message.subject?.onOneLine, results: topic.results,
            buildIDs: topic.builds.compactMap { $0["buildid"]?.intValue },
            builds: topic.builds, buildset: topic.buildset, users: topic.users,
            patches: options.addsPatches ? topic.patches : [],
            logs: topic.builds.flatMap(\.logsWithContent), extraInfo: message.extraInfo)
    }
}

extension ReportTopic {
    fileprivate var patches: [JSONValue] {
        let stamps = buildset?["sourcestamps"]?.arrayValue ?? []
        return stamps.compactMap { $0["patch"] }.filter { !$0.isNull }
    }
}

extension JSONObject {
    /// The logs of a build's steps that have their content.
    fileprivate var logsWithContent: [JSONValue] {
        let steps = self["steps"]?.arrayValue ?? []
        return steps.flatMap { $0["logs"]?.arrayValue ?? [] }.filter { $0["content"] != nil }
    }
}

extension String {
    /// The text without line ends, as headers and headings must be.
    fileprivate var onOneLine: String {
        guard contains(where: \.isNewline) else { return self }
        return split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
