extension YAMLNode {
    /// The name of the expression tag; core tags such as `!!str` do not count.
    var expressionName: String? { tag?.name }

    /// The text of an untagged scalar, regardless of its type.
    public var scalarText: String? {
        guard case .scalar(let scalar) = kind, expressionName == nil else { return nil }
        return scalar.value
    }

    /// Whether the node is an empty string, list or mapping.
    var isEmpty: Bool {
        guard expressionName == nil else { return false }
        return switch kind {
        case .scalar(let scalar): scalar.value.isEmpty && !isNull
        case .sequence(let items): items.isEmpty
        case .mapping(let mapping): mapping.entries.isEmpty
        }
    }

    /// A description of the node for messages.
    public var wording: String {
        if let expressionName { return "!\(expressionName)" }
        switch kind {
        case .sequence(let items): return items.isEmpty ? "an empty list" : "a list"
        case .mapping(let mapping):
            return mapping.entries.isEmpty ? "an empty mapping" : "a mapping"
        case .scalar(let scalar): return wording(of: scalar)
        }
    }

    private func wording(of scalar: YAMLScalar) -> String {
        switch resolved {
        case .null: "null"
        case .bool: scalar.value
        case .int, .float: "the number \(scalar.value.shortened)"
        case .string, nil: "'\(scalar.value.shortened)'"
        }
    }

    /// Whether the node is `None` without quotes, which is a text in YAML.
    var isPythonsNone: Bool {
        guard case .scalar(let scalar) = kind, expressionName == nil else { return false }
        return scalar.style == .plain && scalar.value == "None"
    }

    /// Whether the node is a short text that needs no quotes, also in a list.
    var isWord: Bool {
        guard case .scalar(let scalar) = kind, case .string? = resolved, !isPythonsNone else {
            return false
        }
        return scalar.value.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.\/@-]{0,39}/) != nil
    }

    /// Whether part of the node is a placeholder for something already reported.
    var holdsPlaceholder: Bool { contains(where: \.isPlaceholder) }

    /// Whether the node or any descendant satisfies a condition.
    func contains(where condition: (YAMLNode) -> Bool) -> Bool {
        if condition(self) { return true }
        return switch kind {
        case .scalar: false
        case .sequence(let items): items.contains { $0.contains(where: condition) }
        case .mapping(let mapping):
            mapping.entries.contains {
                $0.key.contains(where: condition) || $0.value.contains(where: condition)
            }
        }
    }
}

extension SettingDecoder {
    /// Warns if a string contains expressions that will not be rendered.
    func warnOfLiteralExpressions(in node: YAMLNode, text: String) {
        guard !warnOfPython(in: node, text: text) else { return }
        // Most strings contain neither character, and a character is found much faster than a
        // substring.
        let mayHoldOne = text.utf8.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "{") }
        guard mayHoldOne, node.expressionName == nil else { return }
        warnOfLiteralInterpolation(in: node, text: text)
        warnOfLiteralTemplate(in: node, text: text)
    }

    /// Warns of what a master.cfg of Buildbot computes.
    private func warnOfPython(in node: YAMLNode, text: String) -> Bool {
        guard node.expressionName == nil else { return false }
        if node.isPythonsNone {
            warning(
                "'None' is a text here; write null, or put quotes around it", at: node.range)
            return true
        }
        guard text.utf8.contains(UInt8(ascii: "(")),
            let call = text.prefixMatch(
                of: /(?:util\.)?(Property|Interpolate|Secret|WithProperties)\(/)
        else { return false }
        let tag = call.1 == "WithProperties" ? "Interpolate" : call.1
        let value = tag == "Interpolate" ? "TEXT" : "NAME"
        warning(
            "'\(call.0)…)' is Python, and is sent as it is; write !\(tag) \(value)", at: node.range)
        return true
    }

    private func warnOfLiteralInterpolation(in node: YAMLNode, text: String) {
        guard text.contains("%(") else { return }
        for selector in ["prop", "src", "kw", "secret", "worker"] {
            guard text.contains("%(\(selector):") else { continue }
            warning(
                "'%(\(selector):…)s' is sent as it is; write !Interpolate before the text to have "
                    + "it rendered", at: node.range)
            return
        }
    }

    /// Warns about `{{ name }}`; other braces, such as `{{.Names}}`, belong to other programs.
    private func warnOfLiteralTemplate(in node: YAMLNode, text: String) {
        guard scope != .report, text.contains("{{"),
            let found = text.firstMatch(of: /\{\{-?\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?:\||-?\}\})/)
        else { return }
        let remedy =
            switch scope {
            case .service:
                "a service has no build; only texts in 'format' are templates"
            default: "write !Template before the text to have it rendered"
            }
        warning("'{{ \(String(found.1).shortened) }}' is sent as it is; \(remedy)", at: node.range)
    }
}

extension String {
    /// The string, or its beginning if it is too long to quote in a sentence.
    package var shortened: String {
        count > 40 ? prefix(37) + "..." : self
    }
}
