/// Which results of a step are told in its build's state.
public struct SummaryPolicy: SettingValue {
    private let told: Set<Results>

    /// Makes a policy.
    public init(_ told: Set<Results>) {
        self.told = told
    }

    /// True, false or a list of results.
    public static var shape: String { "true, false or a list of results" }

    /// Reads true for all results, false for none, or a list.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> SummaryPolicy? {
        switch (node.kind, node.resolved) {
        case (.sequence, _):
            return decoder.decode([Results].self, from: node).map { SummaryPolicy(Set($0)) }
        case (_, .bool(let all)):
            return SummaryPolicy(all ? Set(Results.allCases) : [])
        default:
            return decoder.mismatch(node, expected: shape)
        }
    }

    /// Whether a result is told.
    public func tells(_ results: Results) -> Bool { told.contains(results) }
}
