import MasterKit

extension SettingDecoder {
    /// The two items of a list; anything else is said to be no `shape`.
    func pair(_ node: YAMLNode, shape: String) -> (YAMLNode, YAMLNode)? {
        guard let items = node.sequence else { return mismatch(node, expected: shape) }
        guard items.count == 2 else {
            return error(
                "\(subject) must be \(shape), not a list of \(items.count)", at: node.range)
        }
        return (items[0], items[1])
    }
}
