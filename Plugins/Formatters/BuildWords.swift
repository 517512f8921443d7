import MasterKit

/// Sentences about a build for people.
struct BuildWords {
    private let build: JSONObject
    private let results: Results?
    private let previous: Results?
    private let modes: [BuildModes.Mode]

    init(
        _ build: JSONObject, results: Results?, previous: Results?, modes: [BuildModes.Mode]
    ) {
        self.build = build
        self.results = results
        self.previous = previous
        self.modes = modes
    }

    /// How the build went, compared to the one before when the generator looks at that.
    var status: String {
        switch results {
        case .failure:
            let compares = modes.contains(.change) || modes.contains(.problem)
            return compares && differs(from: .failure) ? "new failure" : "failed build"
        case .warnings: return "problem in the build"
        case .success:
            let compares = modes.contains(.change)
            return compares && differs(from: .success) ? "restored build" : "passing build"
        case .exception: return "build exception"
        default: return "\(Results.text(results)) build"
        }
    }

    /// How the build went, with its state.
    var summary: String {
        switch results {
        case nil: "Build started"
        case .success: "Build succeeded!"
        case .warnings: "Build Had Warnings\(state)"
        case .cancelled: "Build was cancelled"
        default: "BUILD FAILED\(state)"
        }
    }

    /// The sources, a line for each.
    var sources: String {
        stamps.map { stamp in
            let codebase = text(stamp["codebase"]).map { " '\($0)'" } ?? ""
            let branch = text(stamp["branch"]).map { " [branch \($0)]" } ?? ""
            let patch = stamp["patch"]?.isNull == false ? " (plus patch)" : ""
            return "Source\(codebase):\(branch) \(text(stamp["revision"]) ?? "HEAD")\(patch)"
        }.joined(separator: "\n")
    }

    /// The projects of the sources, `nil` when none is named.
    var projects: String? {
        var found: [String] = []
        for project in stamps.compactMap({ text($0["project"]) }) where !found.contains(project) {
            found.append(project)
        }
        return found.isEmpty ? nil : found.joined(separator: ", ")
    }

    private var state: String {
        text(build["state_string"]).map { ": \($0)" } ?? ""
    }

    private var stamps: [JSONValue] {
        build["buildset"]?["sourcestamps"]?.arrayValue ?? []
    }

    private func differs(from results: Results) -> Bool {
        previous.map { $0 != results } ?? false
    }

    /// A text that is there and not empty.
    private func text(_ value: JSONValue?) -> String? {
        value?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }
}
