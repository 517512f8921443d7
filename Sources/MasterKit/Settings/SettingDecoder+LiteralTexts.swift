extension SettingDecoder {
    /// Warns when a text has expressions in it that nobody asked to be rendered.
    func warnOfLiteralExpressions(in node: YAMLNode, text: String) {
        guard node.expressionName == nil else { return }
        warnOfLiteralInterpolation(in: node, text: text)
        warnOfLiteralTemplate(in: node, text: text)
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

    /// Warns of `{{ name }}`; other braces, such as `{{.Names}}`, belong to other programs.
    private func warnOfLiteralTemplate(in node: YAMLNode, text: String) {
        guard scope != .report, text.contains("{{"),
            let found = text.firstMatch(of: /\{\{-?\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(?:\||-?\}\})/)
        else { return }
        let remedy =
            switch scope {
            case .service:
                "a service belongs to no build, and of its texts only those of 'format' are "
                    + "templates"
            default: "write !Template before the text to have it rendered"
            }
        warning("'{{ \(String(found.1).shortened) }}' is sent as it is; \(remedy)", at: node.range)
    }
}
