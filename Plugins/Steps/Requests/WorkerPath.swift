import MasterKit

/// The path of a file on the worker, relative to the folder of the step.
struct WorkerPath: SettingValue {
    let text: String

    static var shape: String { "the path of a file" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> WorkerPath? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            return decoder.error(
                "\(decoder.subject) must be \(shape), which is not empty and has no NUL byte",
                at: node.range)
        }
        return WorkerPath(text: text)
    }

    /// The absolute path that a step means.
    func place(in context: StepContext) -> String {
        text.hasPrefix("/") ? text : "\(context.workdir)/\(text)"
    }
}

extension YAMLNode {
    /// What stands behind `!File` for a file of the worker, as the path alone or as `{path: …}`;
    /// `nil` for a node with another tag, or none.
    func workerFilePath(_ decoder: SettingDecoder) -> YAMLNode?? {
        guard tag?.name == "File" else { return nil }
        if scalar != nil { return untagged }
        guard let entries = mapping?.entries, entries.count == 1, let path = mapping?["path"] else {
            decoder.error(
                "\(decoder.subject) takes a file as !File PATH, or as !File {path: PATH} when the "
                    + "path is computed", at: range)
            return .some(nil)
        }
        return path
    }
}
