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
                decoder.note(property: name, at: range)
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
