internal import MasterKit
internal import MasterRuntime

/// A server of the Language Server Protocol for master.yaml: it answers messages, and tells of
/// mistakes with the same checker as `check`.
///
/// It touches nothing but the files that a master.yaml names, so that it can be tested as it is.
struct LanguageServer {
    private let standard: Vocabulary
    private let environment: [String: String]
    private var documents: [String: OpenDocument] = [:]
    /// The plugins of each document that names packages or libraries, as they were last loaded.
    private var vocabularies: [String: Vocabulary] = [:]
    /// The documents that have changed since they were last checked.
    private(set) var unchecked: Set<String> = []
    private var isInitialized = false
    private var isShutDown = false
    /// The exit status, once the client has asked the server to exit.
    private(set) var exitStatus: ExitStatus?

    init(registry: Registry, environment: [String: String]) {
        standard = Vocabulary(registry)
        self.environment = environment
    }

    /// The plugins that a document can use.
    private struct Vocabulary {
        let registry: Registry
        let walk: SchemaWalk
        /// The modules and libraries with the plugins; the name of a library is new with each build.
        let origins: Set<String>

        init(_ registry: Registry) {
            self.registry = registry
            walk = SchemaWalk(ConfigurationSchema.json(for: registry))
            origins = Self.origins(of: registry)
        }

        static func origins(of registry: Registry) -> Set<String> {
            Set(registry.entries.map(\.origin))
        }
    }

    private func vocabulary(of document: OpenDocument) -> Vocabulary {
        vocabularies[document.uri] ?? standard
    }

    /// Handles a message.
    ///
    /// - Returns: The messages to send: the answer to a request, and notifications.
    mutating func handle(_ text: String) -> [JSONValue] {
        let message: JSONValue
        do {
            message = try JSONValue(parsing: text)
        } catch {
            return [Self.failure(.null, -32700, "the message is not valid JSON: \(error)")]
        }
        guard let method = message["method"]?.stringValue else {
            // An answer to a request; this server makes none.
            let isAnswer = message["result"] != nil || message["error"] != nil
            return isAnswer
                ? [] : [Self.failure(message["id"] ?? .null, -32600, "the message has no method")]
        }
        let parameters = message["params"] ?? .null
        guard let id = message["id"] else { return notified(method, parameters) }
        guard isInitialized || method == "initialize" else {
            return [Self.failure(id, -32002, "the first request must be 'initialize'")]
        }
        guard !isShutDown else {
            return [Self.failure(id, -32600, "the server has been shut down")]
        }
        guard let result = answer(method, parameters) else {
            return [Self.failure(id, -32601, "unknown request '\(method)'")]
        }
        return [["jsonrpc": "2.0", "id": id, "result": result]]
    }

    /// The client is gone without asking the server to exit.
    mutating func disconnect() {
        exitStatus = exitStatus ?? (isShutDown ? .success : .failure)
    }

    private static func failure(_ id: JSONValue, _ code: Int, _ message: String) -> JSONValue {
        [
            "jsonrpc": "2.0", "id": id,
            "error": ["code": .int(code), "message": .string(message)],
        ]
    }

    // MARK: Requests

    private mutating func answer(_ method: String, _ parameters: JSONValue) -> JSONValue? {
        switch method {
        case "initialize":
            isInitialized = true
            return Self.capabilities
        case "shutdown":
            isShutDown = true
            return .null
        case "textDocument/completion": return completions(parameters)
        case "textDocument/hover": return hover(parameters)
        case "textDocument/definition": return definition(parameters)
        default: return nil
        }
    }

    private static let capabilities: JSONValue = [
        "capabilities": [
            "positionEncoding": "utf-16",
            // The whole text with each change.
            "textDocumentSync": ["openClose": true, "change": 1],
            "completionProvider": ["triggerCharacters": [".", ":", " ", "-", "!", "{", "["]],
            "hoverProvider": true,
            "definitionProvider": true,
        ],
        "serverInfo": [
            "name": "buildmaster", "version": .string(RootCommand.version),
        ],
    ]

    private func target(
        _ parameters: JSONValue
    ) -> (document: OpenDocument, place: (line: Int, prefix: String))? {
        guard let uri = parameters["textDocument"]?["uri"]?.stringValue,
            let document = documents[uri], let place = document.place(parameters["position"])
        else { return nil }
        return (document, place)
    }

    private func hover(_ parameters: JSONValue) -> JSONValue {
        guard let (document, place) = target(parameters),
            let found = document.node(at: place)
        else { return .null }
        guard let text = description(of: found, vocabulary(of: document)) else { return .null }
        return [
            "contents": ["kind": "markdown", "value": .string(text)],
            "range": document.json(found.node.range),
        ]
    }

    private func description(
        of found: OpenDocument.Found, _ vocabulary: Vocabulary
    ) -> String? {
        let walk = vocabulary.walk
        if !found.isKey, let name = found.node.tag?.name,
            let tag = TagDescription.all.first(where: { $0.name == "!" + name })
        {
            return "**\(tag.name)**\n\n\(tag.summary)"
        }
        guard let text = found.node.scalarText else { return nil }
        if found.isKey {
            return walk.description(of: text, at: found.path).map { "**\(text)**\n\n\($0)" }
        }
        if let plugin = vocabulary.registry[text] { return "**\(text)**\n\n\(plugin.type.summary)" }
        guard let last = found.path.lastIndex(where: { $0 != .item }),
            case .key(let name) = found.path[last]
        else { return nil }
        return walk.description(of: name, at: Array(found.path[..<last])).map {
            "**\(name)**\n\n\($0)"
        }
    }

    private func definition(_ parameters: JSONValue) -> JSONValue {
        guard let (document, place) = target(parameters) else { return .null }
        var range = document.anchor(at: place)
        if range == nil, let found = document.node(at: place),
            let name = found.node.scalarText,
            let subject = OpenDocument.subject(of: found.path)
        {
            range = document.declarations(of: subject).first { $0.name == name }?.node.range
        }
        guard let range else { return .null }
        return ["uri": .string(document.uri), "range": document.json(range)]
    }

    private func completions(_ parameters: JSONValue) -> JSONValue {
        guard let (document, place) = target(parameters) else { return .null }
        let line = place.line
        let lines = document.file
        let items = CompletionPlace(
            prefix: place.prefix, above: { lines.line(line - $0) },
            below: { lines.line(line + $0) }
        ).items(vocabulary(of: document).walk, document)
        let typed = items.partial.utf16.count
        let end = place.prefix.utf16.count
        let range: JSONValue = [
            "start": ["line": .int(line - 1), "character": .int(end - typed)],
            "end": ["line": .int(line - 1), "character": .int(end)],
        ]
        return .array(
            items.list.map { item in
                var object: JSONObject = [
                    "label": .string(item.label), "kind": .int(item.kind),
                    "textEdit": ["range": range, "newText": .string(item.text)],
                    "filterText": .string(item.label),
                ]
                if let text = item.documentation { object["documentation"] = .string(text) }
                return .object(object)
            })
    }

    // MARK: Notifications

    private mutating func notified(_ method: String, _ parameters: JSONValue) -> [JSONValue] {
        let document = parameters["textDocument"]
        let uri = document?["uri"]?.stringValue
        switch method {
        case "exit":
            exitStatus = isShutDown ? .success : .failure
        case "textDocument/didOpen":
            guard let uri, let text = document?["text"]?.stringValue else { break }
            documents[uri] = OpenDocument(
                uri: uri, version: document?["version"]?.intValue, text: text)
            unchecked.remove(uri)
            return check(uri)
        case "textDocument/didChange":
            let changes = parameters["contentChanges"]?.arrayValue ?? []
            guard let uri, let text = changes.last?["text"]?.stringValue else { break }
            documents[uri]?.update(version: document?["version"]?.intValue, text: text)
            if documents[uri] != nil { unchecked.insert(uri) }
        case "textDocument/didClose":
            guard let uri, documents.removeValue(forKey: uri) != nil else { break }
            unchecked.remove(uri)
            vocabularies[uri] = nil
            return [Self.diagnostics(uri, [])]
        default: break
        }
        return []
    }

    /// Checks the documents that have changed.
    mutating func checkChanged() -> [JSONValue] {
        let uris = unchecked.sorted()
        unchecked = []
        return uris.flatMap { check($0) }
    }

    private mutating func check(_ uri: String) -> [JSONValue] {
        guard let document = documents[uri] else { return [] }
        let files = ConfigurationFiles(registry: standard.registry)
        guard files.declaresMaster(named: document.name, { document.root }) else {
            return [Self.diagnostics(uri, [], version: document.version)]
        }
        let loaded = MasterConfiguration.load(
            document.parsed, path: document.path, registry: standard.registry,
            environment: environment)
        note(loaded.registry, of: document)
        let found = loaded.diagnostics.map { Self.json($0, in: document) }
        return [Self.diagnostics(uri, found, version: document.version)]
    }

    /// Notes the plugins of a document, for the next completion.
    private mutating func note(_ registry: Registry, of document: OpenDocument) {
        // What can't be parsed names no packages.
        guard document.parsed.root != nil else { return }
        let origins = Vocabulary.origins(of: registry)
        if origins == standard.origins {
            vocabularies[document.uri] = nil
        } else if origins != vocabularies[document.uri]?.origins {
            vocabularies[document.uri] = Vocabulary(registry)
        }
    }

    private static func diagnostics(
        _ uri: String, _ found: [JSONValue], version: Int? = nil
    ) -> JSONValue {
        var parameters: JSONObject = ["uri": .string(uri), "diagnostics": .array(found)]
        if let version { parameters["version"] = .int(version) }
        return [
            "jsonrpc": "2.0", "method": "textDocument/publishDiagnostics",
            "params": .object(parameters),
        ]
    }

    private static func json(_ diagnostic: Diagnostic, in document: OpenDocument) -> JSONValue {
        let severity =
            switch diagnostic.severity {
            case .error: 1
            case .warning: 2
            case .note: 3
            }
        var object: JSONObject = [
            "range": document.json(diagnostic.range), "severity": .int(severity),
            "source": "buildmaster", "message": .string(diagnostic.message),
        ]
        if !diagnostic.notes.isEmpty {
            object["relatedInformation"] = .array(
                diagnostic.notes.map { note in
                    [
                        "location": [
                            "uri": .string(document.uri), "range": document.json(note.range),
                        ],
                        "message": .string(note.message),
                    ]
                })
        }
        return .object(object)
    }
}

extension CompletionPlace {
    /// One completion.
    struct Item {
        let label: String
        let text: String
        /// The kind in the protocol: 10 property, 12 value, 18 reference, 14 keyword.
        let kind: Int
        var documentation: String?
    }

    /// What can stand at the place, and what of it has been written already.
    func items(_ walk: SchemaWalk, _ document: OpenDocument) -> (list: [Item], partial: String) {
        guard !isInert else { return ([], partial) }
        if partial.hasPrefix("!") {
            let tags = TagDescription.all.map {
                Item(label: $0.name, text: $0.name, kind: 14, documentation: $0.summary)
            }
            return (tags, partial)
        }
        var items: [Item] = []
        if isKey {
            items += walk.properties(at: path).filter { !siblings.contains($0.name) }.map {
                Item(
                    label: $0.name, text: $0.name + ": ", kind: 10,
                    documentation: $0.schema["description"]?.stringValue)
            }
        }
        items += walk.words(at: path).map { word in
            Item(label: word, text: word, kind: 12)
        }
        if let subject = OpenDocument.subject(of: path) {
            items += document.declarations(of: subject).map {
                Item(label: $0.name, text: $0.name, kind: 18, documentation: "\(subject.rawValue)")
            }
        }
        var labels: Set<String> = []
        return (items.filter { labels.insert($0.label).inserted }, partial)
    }
}
