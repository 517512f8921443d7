import MasterKit

/// The setting `want_logs_content`: none, all, or the logs of some names.
struct LogContentChoice: SettingValue {
    let contents: BuildDetails.LogContents

    static var shape: String { "true, false or a list of logs, as 'log' or 'step.log'" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LogContentChoice? {
        guard node.sequence != nil else {
            guard case .bool(let isWanted) = node.resolved else {
                return decoder.mismatch(node, expected: shape)
            }
            return LogContentChoice(contents: isWanted ? .all : .none)
        }
        return decoder.decode([String].self, from: node).map {
            LogContentChoice(contents: .named(Set($0)))
        }
    }
}
