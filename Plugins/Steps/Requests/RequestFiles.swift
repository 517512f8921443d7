import MasterKit

/// The setting `files`, whose fields may be `!File path` as well.
struct RequestFiles: SettingValue, RenderableValue {
    let uploads: Renderable<UploadedFiles?>

    static var shape: String { UploadedFiles.shape }

    static var absent: RequestFiles? { RequestFiles(uploads: Renderable(nil)) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RequestFiles? {
        if node.tag?.name == "File" {
            return decoder.error(
                "\(decoder.subject) gives each file a field: write {field: !File path}",
                at: node.range)
        }
        guard node.tag == nil, let entries = node.mapping?.entries else {
            return read(node, decoder)
        }
        let written = entries.map { spelledOut($0, decoder) }
        let files = read(node.replacing(.mapping(YAMLMapping(written.map(\.entry)))), decoder)
        return written.allSatisfy(\.isRight) ? files : nil
    }

    private static func read(_ node: YAMLNode, _ decoder: SettingDecoder) -> RequestFiles? {
        decoder.decode(Renderable<UploadedFiles?>.self, from: node).map {
            RequestFiles(uploads: $0)
        }
    }

    /// The entry with `{path: …}` in place of `!File …`; where there is no path, with an empty
    /// content, so that the other entries are checked as well.
    private static func spelledOut(
        _ entry: YAMLMapping.Entry, _ decoder: SettingDecoder
    ) -> (entry: YAMLMapping.Entry, isRight: Bool) {
        guard let path = entry.value.workerFilePath(decoder) else { return (entry, true) }
        let source = path.map { ("path", $0) } ?? ("content", YAMLNode(""))
        let file = YAMLMapping([.init(key: YAMLNode(source.0), value: source.1)])
        let value = entry.value.replacing(.mapping(file))
        return (YAMLMapping.Entry(key: entry.key, value: value), path != nil)
    }
}
