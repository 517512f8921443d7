import MasterKit

/// The setting `files`, whose fields may also be `!File path`.
struct RequestFiles: SettingValue, RenderableValue {
    let uploads: Renderable<UploadedFiles?>

    static var shape: String { UploadedFiles.shape }

    static var form: ValueForm { .computed(.optional(UploadedFiles.form)) }

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

    /// The entry with `{path: …}` in place of `!File …`. If the path is missing, the content is
    /// empty, so that the other entries are still checked.
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

/// The setting `files`: fields of a multipart body, each with content or a file to read.
struct UploadedFiles: SettingValue {
    let files: [UploadedFile]

    static var shape: String {
        "a mapping of fields to texts, or to {content or path, filename, content_type, headers}"
    }

    static var form: ValueForm { .mapping(of: FilePart.form) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> UploadedFiles? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        let files = entries.map { entry -> UploadedFile? in
            let field = decoder.decode(String.self, from: entry.key)
            let part = decoder.decode(FilePart.self, from: entry.value)
            guard let field, let part else { return nil }
            return UploadedFile(field: field, part: part)
        }
        let present = files.compactMap(\.self)
        return present.count == files.count ? UploadedFiles(files: present) : nil
    }
}

/// A file in a multipart body, with the name of its field.
struct UploadedFile: Sendable {
    let field: String
    let part: FilePart

    /// The file name to send: as given, or else that of the file, or else that of the field.
    var filename: String {
        if let filename = part.filename { return filename }
        guard case .path(let path) = part.source else { return field }
        return path.text.split(separator: "/").last.map(String.init) ?? field
    }
}

/// The value of a field in `files`.
struct FilePart: SettingValue {
    /// The source of the content.
    enum Source: Sendable {
        case content(String)
        /// A file on the worker, relative to the folder of the step.
        case path(WorkerPath)
    }

    let source: Source
    let filename: String?
    let contentType: String?
    let headers: HTTPHeaders

    static var shape: String { "a text, or {content or path, filename, content_type, headers}" }

    static var form: ValueForm { .either([.text, .settings(FilePartForm.self)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FilePart? {
        guard let mapping = node.mapping else {
            return decoder.decode(String.self, from: node).map {
                FilePart(source: .content($0), filename: nil, contentType: nil, headers: [:])
            }
        }
        let form = decoder.read(
            FilePartForm.self, from: node, owner: "a file of 'files'", at: node.range)
        guard let form else { return nil }
        guard (mapping["content"] == nil) != (mapping["path"] == nil) else {
            return decoder.error(
                "a file of 'files' needs either 'content' or 'path', and not both", at: node.range)
        }
        let source = form.content.map { Source.content($0) } ?? form.path.map { .path($0) }
        guard let source else { return nil }
        if let filename = form.filename, filename.utf8.contains(0) {
            return decoder.error(
                "'filename' of a file of 'files' has a NUL byte; remove it",
                at: mapping["filename"]?.range)
        }
        if let type = form.contentType, type.hasControlCharacter {
            return decoder.error(
                "'content_type' of a file of 'files' has a line end or another control character; "
                    + "remove it", at: mapping["content_type"]?.range)
        }
        return FilePart(
            source: source, filename: form.filename, contentType: form.contentType,
            headers: form.headers?.headers ?? [:])
    }
}

private struct FilePartForm: Settings {
    @Setting("The content, a text.") var content: String?
    @Setting("A file on the worker.") var path: WorkerPath?
    @Setting("The file name sent to the server.") var filename: String?
    @Setting("The content type sent to the server.", .named("content_type"))
    var contentType: String?
    @Setting("Additional headers of this part.") var headers: HeaderFields?
}

/// The path of a file on the worker, relative to the folder of the step.
struct WorkerPath: PathSetting {
    let text: String

    static var shape: String { "the path of a file" }

    /// The absolute path for a step.
    func place(in context: StepContext) -> String {
        text.hasPrefix("/") ? text : "\(context.workdir)/\(text)"
    }
}

extension YAMLNode {
    /// The path after `!File` for a file on the worker, written alone or as `{path: …}`; `nil` for
    /// a node with another tag or none.
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
