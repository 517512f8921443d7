/// `!Interpolate "%(prop:branch:-main)s"`: a string with interpolated values.
package struct Interpolate: Expression {
    private let format: InterpolationFormat
    private let arguments: InterpolationArguments

    /// Reads a format, or a list of a format and a mapping or list of arguments.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard let (formatNode, arguments) = Self.parts(of: node, with: decoder) else { return nil }
        guard let text = formatNode.scalarText else {
            decoder.error(Self.usage, at: formatNode.range)
            return nil
        }
        let count = arguments.count { !InterpolationArguments.areNamed($0) }
        guard count == 0 || count == arguments.count else {
            decoder.error(
                "!Interpolate takes arguments by position or by name, not both", at: node.range)
            return nil
        }
        let read = InterpolationArguments(arguments, with: decoder)
        do {
            format = try InterpolationFormat(
                parsing: text, positionalCount: count == 0 ? nil : count)
        } catch {
            let places = ScalarPlaces(of: formatNode)
            for fault in error.errors {
                decoder.error(
                    fault.message, at: places.range(ofUTF8: fault.range) ?? formatNode.range)
            }
            return nil
        }
        guard let read else { return nil }
        self.arguments = read
        check(formatNode, with: decoder)
    }

    private static let usage = """
        !Interpolate is written !Interpolate "text with %(prop:name)s" or !Interpolate \
        ["text with %(kw:a)s", {a: value}]
        """

    private static func parts(
        of node: YAMLNode, with decoder: SettingDecoder
    ) -> (YAMLNode, [YAMLNode])? {
        switch node.kind {
        case .scalar: return (node.untagged, [])
        case .sequence(let items):
            guard let first = items.first else {
                return decoder.error(usage, at: node.range)
            }
            return (first, Array(items.dropFirst()))
        case .mapping: return decoder.error(usage, at: node.range)
        }
    }

    /// Records the secrets and reports references that the scope does not allow.
    private func check(_ node: YAMLNode, with decoder: SettingDecoder) {
        let places = ScalarPlaces(of: node)
        lazy var known = arguments.keywords.keys.sorted()
        for use in format.references {
            var range: SourceRange? { places.range(ofUTF8: use.range) ?? node.range }
            switch use.reference {
            case .secret(let name):
                decoder.note(secret: name, at: range)
            case .keyword(let name):
                guard arguments.keywords[name] == nil, !use.hasModifier else { continue }
                let remedy = Suggestion.remedy(for: name, among: known)
                decoder.error("!Interpolate has no argument named '\(name)'; \(remedy)", at: range)
            case .positional:
                continue
            case .property(let name):
                decoder.requireBuild("%(…)s of a build", at: range)
                decoder.note(property: name)
            case .source:
                decoder.requireBuild("%(…)s of a build", at: range)
                decoder.noteSources()
            case .worker:
                decoder.requireBuild("%(…)s of a build", at: range)
            }
        }
    }

    /// The string with all values inserted.
    package func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        do {
            var values = context
            values.insertsIntoAddress = false
            let pieces = try format.pieces { reference, isFirst in
                try lookup(reference, in: isFirst ? context : values)
            }
            guard context.insertsIntoAddress else {
                return .string(pieces.map(\.text).joined())
            }
            return .string(try AddressText.url(of: pieces))
        } catch let error as RenderError {
            throw error
        } catch {
            throw RenderError("\(error)")
        }
    }

    private func lookup(
        _ reference: InterpolationReference, in context: RenderContext
    ) throws -> JSONValue? {
        switch reference {
        case .property(let name): return context.properties[name]
        case .source(let codebase, let attribute):
            let stamp = context.sourceStamps.first { $0.codebase == codebase }
            return stamp?.attribute(attribute)
        case .worker(let name): return context.worker[name]
        case .secret(let name): return try Secret(name).evaluate(in: context)
        case .keyword(let name):
            return try arguments.keywords[name].map { JSONValue(try $0.render(in: context)) }
        case .positional(let index):
            guard arguments.positional.indices.contains(index) else { return nil }
            return JSONValue(try arguments.positional[index].render(in: context))
        }
    }
}

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
