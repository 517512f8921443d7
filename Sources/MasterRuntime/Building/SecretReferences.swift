internal import MasterKit
internal import OrderedCollections

/// Replaces secrets in stored build requests by references, so that requests survive a restart but
/// can only be built while the secrets are still available.
///
/// A text with a secret becomes `{"pieces": ["Bearer ", {"secret": "token"}]}`; values containing
/// such texts become `{"list": […]}` and `{"object": {…}}`, and all others `{"value": …}`. What the
/// mask hides but no reference can restore, such as a secret in base64, becomes `{"hidden": true}`.
struct SecretReferences: Sendable {
    /// Why a stored request can't be built.
    enum Missing: Error, CustomStringConvertible {
        /// It needs a secret that no longer exists.
        case secret(String)
        /// It has a value that was made from a secret, and is therefore not stored.
        case derived

        var description: String {
            switch self {
            case .secret(let name):
                "the request needs the secret '\(name)', which master.yaml no longer has"
            case .derived:
                "the request has a value that was made from a secret, which is never stored; "
                    + "submit it again"
            }
        }
    }

    let secrets: SecretValues

    /// The value with secrets replaced by references, or `nil` if it contains none.
    func referring(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .string(let text):
            guard isHidden(text) else { return nil }
            return ["pieces": .array(pieces(of: text))]
        case .array(let items):
            let referring = items.map { self.referring($0) }
            guard referring.contains(where: { $0 != nil }) else { return nil }
            return ["list": .array(zip(items, referring).map { $1 ?? ["value": $0] })]
        case .object(let object):
            if object.keys.contains(where: isHidden) { return Self.hidden }
            let referring = object.map { ($0.key, $0.value, self.referring($0.value)) }
            guard referring.contains(where: { $0.2 != nil }) else { return nil }
            return ["object": .object(JSONObject(referring.map { ($0, $2 ?? ["value": $1]) }))]
        case .number(let number):
            guard isHidden(number.spelling) else { return nil }
            return Self.hidden
        case .null, .bool:
            return nil
        }
    }

    private static let hidden: JSONValue = ["hidden": true]

    private func isHidden(_ text: String) -> Bool { secrets.mask.apply(to: text) != text }

    /// Restores the value from its stored form.
    func resolved(_ stored: JSONValue) throws(Missing) -> JSONValue {
        if stored == Self.hidden { throw .derived }
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

    /// The references stored along with the masked values of a request, or `nil` if it contains no
    /// secrets.
    func stored(of request: BuildsetRequest) -> String? {
        let properties = referring(.object(request.properties.values))
        let stamps = referring(.array(request.sourceStamps.map { .object($0.texts) }))
        guard properties != nil || stamps != nil else { return nil }
        return JSONWriter.compact.string([
            "properties": properties ?? .null, "sourcestamps": stamps ?? .null,
        ])
    }

    /// Restores the secrets in the values of a request from its stored references.
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
        if piece == Self.hidden { throw .derived }
        guard let name = piece["secret"]?.stringValue else { return piece.stringValue ?? "" }
        guard let value = secrets[name] else { throw .secret(name) }
        return value
    }

    /// Splits a text into plain pieces and references to secrets. If several secrets match at the
    /// same position, the longest wins.
    private func pieces(of text: String) -> [JSONValue] {
        var pieces: [JSONValue] = []
        var plain = ""
        var rest = text[...]
        func endPlain() {
            if !plain.isEmpty { pieces.append(isHidden(plain) ? Self.hidden : .string(plain)) }
            plain = ""
        }
        while !rest.isEmpty {
            let found = secrets.byName.filter { !$0.value.isEmpty && rest.hasPrefix($0.value) }
                .max { ($0.value.utf8.count, $1.key) < ($1.value.utf8.count, $0.key) }
            if let found {
                endPlain()
                pieces.append(["secret": .string(found.key)])
                rest = rest.dropFirst(found.value.count)
            } else {
                plain.append(rest.removeFirst())
            }
        }
        endPlain()
        return pieces
    }
}

extension SourceStamp {
    /// The attributes of the stamp that can contain a secret.
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
