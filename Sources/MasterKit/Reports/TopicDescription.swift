/// Human-readable sentences about a topic.
struct TopicDescription {
    private let topic: ReportTopic

    init(_ topic: ReportTopic) {
        self.topic = topic
    }

    /// The result, compared to the previous one if the generator considers it.
    var status: String {
        let modes = topic.modes.modes
        switch topic.results {
        case .failure:
            let compares = modes.contains(.change) || modes.contains(.problem)
            return compares && differs(from: .failure) ? "new failure" : "failed \(noun)"
        case .warnings: return "problem in the \(noun)"
        case .success:
            let compares = modes.contains(.change)
            return compares && differs(from: .success) ? "restored \(noun)" : "passing \(noun)"
        case .exception: return "\(noun) exception"
        default: return "\(Results.text(topic.results)) \(noun)"
        }
    }

    /// The result, with the state text.
    var summary: String {
        let name = noun.prefix(1).uppercased() + noun.dropFirst()
        return switch topic.results {
        case nil: topic.kind == .buildrequest ? "\(name) requested" : "\(name) started"
        case .success: "\(name) succeeded!"
        case .warnings: "\(name) Had Warnings\(state)"
        case .cancelled: "\(name) was cancelled"
        default: "\(name.uppercased()) FAILED\(state)"
        }
    }

    /// The source stamps, one per line.
    var sources: String {
        stamps.map { stamp in
            let codebase = text(stamp["codebase"]).map { " '\($0)'" } ?? ""
            let branch = text(stamp["branch"]).map { " [branch \($0)]" } ?? ""
            let patch = stamp["patch"]?.isNull == false ? " (plus patch)" : ""
            return "Source\(codebase):\(branch) \(text(stamp["revision"]) ?? "HEAD")\(patch)"
        }.joined(separator: "\n")
    }

    /// The projects of the source stamps, or the master's title if none is named.
    var projects: String {
        var found: [String] = []
        for project in stamps.compactMap({ text($0["project"]) }) where !found.contains(project) {
            found.append(project)
        }
        return found.isEmpty ? topic.master.title : found.joined(separator: ", ")
    }

    /// What to call the topic: requests and buildsets are referred to as builds.
    private var noun: String { topic.kind == .step ? "step" : "build" }

    private var state: String {
        let record = topic.kind == .step ? topic.record : topic.build
        return text(record?["state_string"]).map { ": \($0)" } ?? ""
    }

    private var stamps: [JSONValue] {
        topic.buildset?["sourcestamps"]?.arrayValue ?? []
    }

    private func differs(from results: Results) -> Bool {
        topic.previousResults.map { $0 != results } ?? false
    }

    /// The string, or `nil` if it is missing or empty.
    private func text(_ value: JSONValue?) -> String? {
        value?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }
}
