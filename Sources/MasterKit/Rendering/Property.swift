internal import MasterPatterns

/// `!Property NAME`: the value of a property, with its type.
package struct Property: Expression {
    let name: String
    let fallback: RenderTree?
    let replacesFalse: Bool

    /// Creates a reference to a property.
    ///
    /// - Parameters:
    ///   - name: The property's name.
    ///   - fallback: The value if the property is missing.
    ///   - replacesFalse: Whether the fallback also replaces `0`, `""`, `[]`, `{}`, false and null.
    package init(
        _ name: String, default fallback: JSONValue? = nil,
        defaultWhenFalse replacesFalse: Bool = true
    ) {
        self.init(
            name, fallback: fallback.map { .constant(YAMLNode(json: $0)) },
            replacesFalse: replacesFalse)
    }

    /// Reads a name, or a mapping with `key`, `default` and `defaultWhenFalse`.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        decoder.requireBuild("!Property", at: node.range)
        if case .scalar(let scalar) = node.kind {
            guard Self.isName(scalar.value, of: node, with: decoder) else { return nil }
            decoder.note(property: scalar.value)
            self.init(scalar.value)
            return
        }
        let form = decoder.read(
            PropertyForm.self, from: node.untagged, owner: "!Property", at: node.range)
        guard let form else { return nil }
        guard Self.isName(form.key, of: node, with: decoder) else { return nil }
        decoder.note(property: form.key)
        self.init(form.key, fallback: form.fallback?.tree, replacesFalse: form.replacesFalse)
    }

    private init(_ name: String, fallback: RenderTree?, replacesFalse: Bool) {
        self.name = name
        self.fallback = fallback
        self.replacesFalse = replacesFalse
    }

    private static func isName(
        _ name: String, of node: YAMLNode, with decoder: SettingDecoder
    ) -> Bool {
        if name.isEmpty || name.count > Properties.maximumNameLength {
            decoder.error(
                "!Property needs the name of a property, as in !Property branch", at: node.range)
            return false
        }
        return true
    }

    /// The property's value, or the fallback, or null.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        let value = context.properties[name]
        guard let fallback else { return value ?? .null }
        if let value, !replacesFalse || value.isTruthy { return value }
        return JSONValue(try fallback.render(in: context))
    }
}

private struct PropertyForm: Settings {
    @Setting("The property's name.") var key: String
    @Setting("The value when it is missing.", .named("default")) var fallback: DeferredValue?
    @Setting("Whether the default stands for false values too.", .named("defaultWhenFalse"))
    var replacesFalse = true
}

/// `!Secret NAME`: the value of a secret, fetched before the first build.
package struct Secret: Expression {
    let name: String

    /// Creates a reference to a secret.
    package init(_ name: String) {
        self.name = name
    }

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard case .scalar(let scalar) = node.kind, !scalar.value.isEmpty else {
            decoder.error(
                "!Secret needs the name of a secret, as in !Secret token", at: node.range)
            return nil
        }
        self.name = scalar.value
        decoder.note(secret: name, at: node.range)
    }

    /// The secret's value.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        guard let value = context.secrets[name] else {
            throw RenderError(
                "no provider of secrets has '\(name)'; check 'secrets' in master.yaml")
        }
        return .string(value)
    }
}

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

/// `!FlattenList [a, [b, c]]`: the items of nested lists as one list.
package struct FlattenList: Expression {
    let items: [RenderTree]

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        let usage = "!FlattenList [item, [item, …], …]"
        guard
            let items = decoder.operands(
                of: node, "FlattenList", count: 0...Int.max, usage: usage)
        else { return nil }
        self.items = items
    }

    /// The flattened list.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        var result: [JSONValue] = []
        for item in items {
            Self.append(JSONValue(try item.render(in: context)), to: &result)
            guard result.count <= JSONBudget.maximumValues else {
                throw RenderError("the list has more than \(JSONBudget.maximumValues) values")
            }
        }
        return .array(result)
    }

    private static func append(_ value: JSONValue, to result: inout [JSONValue]) {
        guard case .array(let items) = value else {
            result.append(value)
            return
        }
        for item in items { append(item, to: &result) }
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
