import MasterKit

/// Tells how long each step took, a line for each.
struct StepTimes: MessageFormatter {
    static let summary = "Tells how long each step took."

    @Setting("Leave out steps that took fewer seconds.")
    var atLeast = 0

    var wanted: BuildDetails { BuildDetails(steps: true) }

    func format(_ topic: ReportTopic) -> Message {
        let steps = topic.build?["steps"]?.arrayValue ?? []
        let lines = steps.compactMap { step -> String? in
            guard let name = step["name"]?.stringValue, let start = step["started_at"]?.intValue,
                let end = step["complete_at"]?.intValue, end - start >= atLeast
            else { return nil }
            return "\(name): \(end - start) s\n"
        }
        return Message(.plain(lines.joined()), subject: "times of \(topic.builderName ?? "all")")
    }
}
