/// `!Interpolate "%(prop:branch:-main)s"`: a text with values in it.
public struct Interpolate: Expression {
    private let format: InterpolationFormat
    private let positional: [RenderTree]
    private let keywords: [String: RenderTree]

    /// Reads a format, or a list of a format and a mapping or a list of arguments.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard let (formatNode, arguments) = Self.parts(of: node, with: decoder) else { return nil }
        guard case .scalar(let scalar) = formatNode.kind else {
            decoder.error(Self.usage, at: formatNode.range)
            return nil
        }
        var positional: [RenderTree] = []
        var keywords: [String: RenderTree] = [:]
        for argument in arguments {
            if case .mapping(let mapping) = argument.kind, argument.expressionName == nil {
                for entry in mapping.entries {
                    let tree = RenderTree(entry.value, with: decoder)
                    guard let name = entry.key.scalarText, let tree else { continue }
                    keywords[name] = tree
                }
            } else if let tree = RenderTree(argument, with: decoder) {
                positional.append(tree)
            }
        }
        if !positional.isEmpty, !keywords.isEmpty {
            decoder.error(
                "!Interpolate takes arguments by position or by name, not both", at: node.range)
            return nil
        }
        do {
            format = try InterpolationFormat(
                parsing: scalar.value, positionalCount: positional.isEmpty ? nil : positional.count)
        } catch {
            for fault in error.errors {
                decoder.error(
                    fault.message, at: formatNode.range(ofUTF8: fault.range) ?? formatNode.range)
            }
            return nil
        }
        self.positional = positional
        self.keywords = keywords
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
        case .scalar: return (node, [])
        case .sequence(let items):
            guard let first = items.first else {
                return decoder.error(usage, at: node.range)
            }
            return (first, Array(items.dropFirst()))
        case .mapping: return decoder.error(usage, at: node.range)
        }
    }

    /// Notes the secrets and reports what the scope can't give.
    private func check(_ node: YAMLNode, with decoder: SettingDecoder) {
        for use in format.references {
            let range = node.range(ofUTF8: use.range) ?? node.range
            switch use.reference {
            case .secret(let name):
                decoder.note(secret: name, at: range)
            case .keyword(let name):
                guard keywords[name] == nil else { continue }
                let remedy = Suggestion.remedy(for: name, among: keywords.keys.sorted())
                decoder.error("!Interpolate has no argument named '\(name)'; \(remedy)", at: range)
            case .positional: continue
            default: decoder.requireBuild("%(…)s of a build", at: range)
            }
        }
    }

    /// The text with every value in place.
    public func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        do {
            return .string(try format.render { try lookup($0, in: context) })
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
            return try keywords[name].map { JSONValue(try $0.render(in: context)) }
        case .positional(let index):
            guard positional.indices.contains(index) else { return nil }
            return JSONValue(try positional[index].render(in: context))
        }
    }
}
