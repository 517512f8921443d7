/// `!Env NAME`: the value of an environment variable, read once when the file is loaded.
struct EnvironmentVariable {
    private let name: String
    private let fallback: YAMLNode?
    private let node: YAMLNode

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        self.node = node
        if case .scalar(let scalar) = node.kind, !scalar.value.isEmpty {
            name = scalar.value
            fallback = nil
            return
        }
        guard case .mapping(let mapping) = node.kind,
            let named = mapping["name"]?.scalarText, !named.isEmpty,
            mapping.entries.allSatisfy({ ["name", "default"].contains($0.key.scalarText) })
        else {
            decoder.error(
                "!Env is written !Env NAME or !Env {name: NAME, default: VALUE}", at: node.range)
            return nil
        }
        name = named
        fallback = mapping["default"]
    }

    /// The variable's value, or the default as written in the file, which may be an expression; a
    /// missing variable without a default is an error.
    func value(with decoder: SettingDecoder, style: YAMLScalar.Style) -> YAMLNode? {
        decoder.note(environmentVariable: name, at: node.range)
        if let value = decoder.environment[name] {
            return node.replacing(.scalar(YAMLScalar(value, style: style)))
        }
        if let fallback { return fallback }
        return decoder.error(
            "the environment variable \(name) is not set; set it, or write "
                + "!Env {name: \(name), default: …}", at: node.range)
    }
}

/// `!File PATH`: the contents of a file next to master.yaml, read once at load time.
///
/// The final line ending is removed, as in the shell's `$(cat PATH)`: it is not part of a token or
/// a version.
struct FileText {
    /// The maximum size of the file, in bytes.
    private static let limit = 1 << 20

    private let path: String
    private let node: YAMLNode

    /// Reads a path, or a mapping that only contains the path.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        self.node = node
        let entries = node.mapping?.entries
        let pathNode = entries?.count == 1 ? node.mapping?["path"] : node.untagged
        if let expression = pathNode?.expressionName {
            decoder.error(
                "!File is read before any build runs; its path is a plain text, not "
                    + "!\(expression). In 'data' of a request it may be computed",
                at: pathNode?.range)
            return nil
        }
        guard let path = pathNode?.scalarText, !path.isEmpty else {
            decoder.error("!File is written !File PATH", at: node.range)
            return nil
        }
        self.path = path
    }

    /// The contents; a file that can't be read, or is not text, is an error.
    func value(with decoder: SettingDecoder, style: YAMLScalar.Style) -> YAMLNode? {
        switch decoder.fileText(path, read) {
        case .success(let text): node.replacing(.scalar(YAMLScalar(text, style: style)))
        case .failure(let fault): decoder.error(fault.message, at: node.range)
        }
    }

    /// The reason why the file can't be used.
    struct Fault: Error {
        let message: String
    }

    private func read(_ place: String) -> Result<String, Fault> {
        do throws(RegularFile.Fault) {
            let bytes = try RegularFile.read(place, limit: Self.limit)
            guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
                return .failure(Fault(message: "the file '\(path)' is not valid UTF-8"))
            }
            return .success(Self.withoutLastLineEnd(text))
        } catch {
            return .failure(Fault(message: words(of: error)))
        }
    }

    private static func withoutLastLineEnd(_ text: String) -> String {
        // A carriage return and a line feed form one character.
        text.last == "\n" || text.last == "\r\n" ? String(text.dropLast()) : text
    }

    private func words(of fault: RegularFile.Fault) -> String {
        switch fault {
        case .missing:
            "there is no file '\(path)'; a relative path starts from the folder of master.yaml"
        case .denied: "there is no permission to read the file '\(path)'; allow it with chmod +r"
        case .folder: "'\(path)' is a folder; give the path of a file in it"
        case .special: "'\(path)' is a pipe, a socket or a device, not a regular file"
        case .tooLarge:
            "the file '\(path)' has more than 1 MiB; only 'data: !File' and 'files' of a request "
                + "send larger ones"
        case .nul: "a path cannot contain NUL"
        case .other(let words): "the file '\(path)' cannot be read: \(words)"
        }
    }
}
