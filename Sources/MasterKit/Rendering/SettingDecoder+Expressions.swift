extension SettingDecoder {
    /// Reports an expression that needs a build where there is none.
    func requireBuild(_ what: String, at range: @autoclosure () -> SourceRange?) {
        guard scope == .service else { return }
        error(
            "\(subject) belongs to a service, which has no build; \(what) has no value there, "
                + "use !Secret or !Env", at: range())
    }

    /// Reads every item of the list that an expression is applied to.
    func operands(
        of node: YAMLNode, _ tag: String, count: ClosedRange<Int>, usage: String
    ) -> [RenderTree]? {
        guard case .sequence(let items) = node.kind, count.contains(items.count) else {
            return error("!\(tag) is written \(usage)", at: node.range)
        }
        let trees = items.map { RenderTree($0, with: self) }
        let present = trees.compactMap(\.self)
        return present.count == trees.count ? present : nil
    }
}
