internal import MasterKit
internal import OrderedCollections

/// What a build request is stored with in place of secrets, so that it can be built after a
/// restart, and only by somebody who still has them.
///
/// A text with a secret becomes `{"pieces": ["Bearer ", {"secret": "token"}]}`; values around it
/// become `{"list": […]}` and `{"object": {…}}`, and all others `{"value": …}`.
struct SecretReferences: Sendable {
    /// A secret that a stored request needs and that is no longer there.
    struct Missing: Error, CustomStringConvertible {
        let name: String
        var description: String {
            "the request needs the secret '\(name)', which master.yaml no longer has"
        }
    }

    let secrets: SecretValues

    /// The value with references in place of secrets; `nil` when there is none in it.
    func referring(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .string(let text):
            guard secrets.mask.apply(to: text) != text else { return nil }
            let pieces = self.pieces(of: text)
            return pieces.contains { $0.objectValue != nil } ? ["pieces": .array(pieces)] : nil
        case .array(let items):
            let referring = items.map { self.referring($0) }
            guard referring.contains(where: { $0 != nil }) else { return nil }
            return ["list": .array(zip(items, referring).map { $1 ?? ["value": $0] })]
        case .object(let object):
            let referring = object.map { ($0.key, $0.value, self.referring($0.value)) }
            guard referring.contains(where: { $0.2 != nil }) else { return nil }
            return ["object": .object(JSONObject(referring.map { ($0, $2 ?? ["value": $1]) }))]
        case .null, .bool, .number:
            return nil
        }
    }

    /// The value that a stored one stands for.
    func resolved(_ stored: JSONValue) throws(Missing) -> JSONValue {
        if let pieces = stored["pieces"]?.arrayValue {
            var text = ""
            for piece in pieces { text += try resolved(piece: piece) }
            return .string(text)
        }
        if let items = stored["list"]?.arrayValue {
            return .array(try items.map { item throws(Missing) in try resolved(item) })
        }
        if let object = stored["object"]?.objectValue {
            var resolved = JSONObject()
            for (key, value) in object { resolved[key] = try self.resolved(value) }
            return .object(resolved)
        }
        return stored["value"] ?? .null
    }

    // MARK: Requests

    /// What is stored beside the masked values of a request; `nil` when no secret is in them.
    func stored(of request: BuildsetRequest) -> String? {
        let properties = referring(.object(request.properties.values))
        let stamps = referring(.array(request.sourceStamps.map { .object($0.texts) }))
        guard properties != nil || stamps != nil else { return nil }
        return JSONWriter.compact.string([
            "properties": properties ?? .null, "sourcestamps": stamps ?? .null,
        ])
    }

    /// The values of a request with secrets in place of the references that are stored for it.
    func restore(
        _ properties: inout Properties, _ sourceStamps: inout [SourceStamp], from stored: JSONValue
    ) throws(Missing) {
        if let values = stored["properties"], values != .null {
            let resolved = try resolved(values).objectValue ?? JSONObject()
            for (name, entry) in properties.entries {
                guard let value = resolved[name] else { continue }
                properties.set(name, value, source: entry.source)
            }
        }
        guard let stamps = stored["sourcestamps"], stamps != .null else { return }
        let resolved = try resolved(stamps).arrayValue ?? []
        for (index, texts) in zip(sourceStamps.indices, resolved) {
            sourceStamps[index].texts = texts.objectValue ?? JSONObject()
        }
    }

    private func resolved(piece: JSONValue) throws(Missing) -> String {
        guard let name = piece["secret"]?.stringValue else { return piece.stringValue ?? "" }
        guard let value = secrets[name] else { throw Missing(name: name) }
        return value
    }

    /// The parts of a text between secrets, and references to these; of secrets that begin at the
    /// same place the longest counts.
    private func pieces(of text: String) -> [JSONValue] {
        var pieces: [JSONValue] = []
        var plain = ""
        var rest = text[...]
        while !rest.isEmpty {
            let found = secrets.byName.filter { !$0.value.isEmpty && rest.hasPrefix($0.value) }
                .max { ($0.value.utf8.count, $1.key) < ($1.value.utf8.count, $0.key) }
            if let found {
                if !plain.isEmpty { pieces.append(.string(plain)) }
                plain = ""
                pieces.append(["secret": .string(found.key)])
                rest = rest.dropFirst(found.value.count)
            } else {
                plain.append(rest.removeFirst())
            }
        }
        if !plain.isEmpty { pieces.append(.string(plain)) }
        return pieces
    }
}

extension SourceStamp {
    /// What of the stamp can hold a secret.
    fileprivate var texts: JSONObject {
        get {
            [
                "branch": .optional(branch), "revision": .optional(revision),
                "repository": .string(repository), "project": .string(project),
                "codebase": .string(codebase),
            ]
        }
        set {
            branch = newValue["branch"]?.stringValue
            revision = newValue["revision"]?.stringValue
            repository = newValue["repository"]?.stringValue ?? repository
            project = newValue["project"]?.stringValue ?? project
            codebase = newValue["codebase"]?.stringValue ?? codebase
        }
    }
}
