internal import MasterKit

/// Finds the parts of a JSON Schema that describe a place in a document.
struct SchemaWalk {
    /// A step from a value to one in it.
    enum Step: Hashable {
        /// The value of a key.
        case key(String)
        /// An item of a list.
        case item
    }

    private let root: JSONValue
    private let definitions: JSONValue

    init(_ schema: JSONValue) {
        root = schema
        definitions = schema["definitions"] ?? [:]
    }

    /// The schemas of the value at a path, without references and choices.
    func schemas(at path: [Step]) -> [JSONObject] {
        path.reduce(expanded(root)) { schemas, step in
            schemas.flatMap { next(step, in: $0).flatMap(expanded) }
        }
    }

    /// The names that keys of a mapping may have, each with its schema.
    func properties(at path: [Step]) -> [(name: String, schema: JSONValue)] {
        var found: [(name: String, schema: JSONValue)] = []
        var names: Set<String> = []
        for schema in schemas(at: path) where !isExpression(schema) {
            for (name, value) in schema["properties"]?.objectValue ?? [:]
            where names.insert(name).inserted {
                found.append((name, value))
            }
        }
        return found
    }

    /// The words that a value may be.
    func words(at path: [Step]) -> [String] {
        var words: [String] = []
        for schema in schemas(at: path) {
            var found = (schema["enum"]?.arrayValue ?? []).compactMap(\.stringValue)
            let types = schema["type"].map { $0.arrayValue ?? [$0] } ?? []
            if types == ["boolean"] || types.contains("boolean") && !types.contains("string") {
                found += ["true", "false"]
            }
            for word in found where !words.contains(word) { words.append(word) }
        }
        return words
    }

    /// What the schema tells about a key, such as the summary of a setting.
    func description(of key: String, at path: [Step]) -> String? {
        properties(at: path).first { $0.name == key }?.schema["description"]?.stringValue
    }

    private func isExpression(_ schema: JSONObject) -> Bool {
        schema["properties"]?["defaultWhenFalse"] != nil
    }

    private func next(_ step: Step, in schema: JSONObject) -> [JSONValue] {
        switch step {
        case .item: schema["items"].map { [$0] } ?? []
        case .key(let name):
            if let value = schema["properties"]?[name] {
                [value]
            } else {
                schema["additionalProperties"].map { [$0] } ?? []
            }
        }
    }

    /// The schema and the alternatives in it, with references replaced by what they refer to.
    private func expanded(_ schema: JSONValue) -> [JSONObject] {
        var seen: Set<String> = []
        return expanded(schema, &seen)
    }

    private func expanded(_ schema: JSONValue, _ seen: inout Set<String>) -> [JSONObject] {
        guard let object = schema.objectValue else { return [] }
        var found = [object]
        if let name = object["$ref"]?.stringValue?.split(separator: "/").last.map(String.init),
            seen.insert(name).inserted, let target = definitions[name]
        {
            found += expanded(target, &seen)
        }
        for key in ["anyOf", "allOf"] {
            for part in object[key]?.arrayValue ?? [] { found += expanded(part, &seen) }
        }
        return found
    }
}
