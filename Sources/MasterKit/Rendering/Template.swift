/// `!Template "{{ build.number }}"`: a string rendered from a template.
package struct Template: Expression {
    private let template: TemplateText

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard case .scalar(let scalar) = node.kind else {
            decoder.error(
                "!Template is written !Template \"text with {{ name }}\"", at: node.range)
            return nil
        }
        self.init(scalar.value, of: node, with: decoder)
    }

    /// Reads a template from a string without a tag, as in every string of `format`.
    init?(_ text: String, of node: YAMLNode, with decoder: SettingDecoder) {
        let parsed = TemplateText.parse(text)
        let places = ScalarPlaces(of: node)
        for error in parsed.errors {
            decoder.error(error.message, at: places.range(ofUTF8: error.range) ?? node.range)
        }
        decoder.omit(parsed.omittedCount)
        decoder.requireBuild("!Template", at: node.range)
        for variable in parsed.template.variables {
            let range = places.range(ofUTF8: variable.range) ?? node.range
            decoder.note(templateVariable: variable.path, at: range)
            if decoder.scope == .build, !variable.hasDefault,
                let fault = StepVariables.fault(in: variable.path)
            {
                decoder.error(fault, at: range)
            }
        }
        guard parsed.errors.isEmpty else { return nil }
        template = parsed.template
    }

    /// The template rendered with the context.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        do {
            return .string(try template.render(context.template, hiding: context.secrets.mask))
        } catch {
            throw RenderError(error.message)
        }
    }
}

/// The variables available to a template in a step.
package enum StepVariables {
    /// The names of the variables.
    package static let names = [
        "build", "buildbot_title", "buildbot_url", "buildername", "properties", "result_name",
        "results", "sourcestamps", "title_url", "workername",
    ]
    /// The members of `build`.
    package static let membersOfBuild = ["buildid", "builderid", "number", "results"]

    /// What is wrong with a path, or `nil` if it is valid or that can't be determined.
    static func fault(in path: [String]) -> String? {
        guard let name = path.first else { return nil }
        guard names.contains(name) else {
            let nearest = Suggestion.nearest(to: name, among: names)
            let remedy =
                nearest.map { "did you mean '\($0)'?" }
                ?? (name.contains("-")
                    ? "write spaces around '-' to subtract"
                    : "for the property of this name, write properties.\(name)")
            return "a template in a step has no '\(name)'; \(remedy)"
        }
        guard name == "build", path.count > 1, !membersOfBuild.contains(path[1]) else { return nil }
        let remedy = Suggestion.remedy(for: path[1], among: membersOfBuild)
        return "in a step, 'build' has no '\(path[1])'; \(remedy)"
    }
}

extension TemplateText {
    /// Renders the template with the values of its variables.
    ///
    /// - Parameters:
    ///   - context: The values by name.
    ///   - secrets: The mask, which is extended by values that filters derive from secrets.
    /// - Returns: The text.
    /// - Throws: If a filter can't be applied, the template exceeds the limits on time or size, or
    ///   it produces a string derived from a secret that can't be masked.
    public func render(
        _ context: JSONObject, hiding secrets: SecretMask
    ) throws(TemplateError) -> String {
        try render(context, secrets: secrets)
    }
}

/// The output format of a setting's template, by name.
extension TemplateText.Kind: SettingEnumeration {}

extension SecretMask: TemplateSecrets {
    package func hide(_ text: String, madeFrom secret: String) throws(TemplateSecretFault) {
        guard text.count >= SecretVerdict.minimumCount else { throw .tooShort }
        do {
            try hide(text, as: secret)
        } catch {
            throw .tooLong(maximumBytes: SecretVerdict.maximumBytes)
        }
    }
}
