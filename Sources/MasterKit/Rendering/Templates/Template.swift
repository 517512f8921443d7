/// `!Template "{{ build.number }}"`: a text made by a template.
public struct Template: Expression {
    private let template: TemplateText

    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        guard case .scalar(let scalar) = node.kind else {
            decoder.error(
                "!Template is written !Template \"text with {{ name }}\"", at: node.range)
            return nil
        }
        self.init(scalar.value, of: node, with: decoder)
    }

    /// Reads a template out of a text without a tag, as every text of `format` is.
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

    /// The text that the template makes of the context.
    public func evaluate(in context: RenderContext) throws(RenderError) -> JSONValue {
        do {
            return .string(try template.render(context.template, hiding: context.secrets.mask))
        } catch {
            throw RenderError(error.message)
        }
    }
}

/// What a template in a step can name.
package enum StepVariables {
    /// The variables.
    package static let names = [
        "build", "buildbot_title", "buildbot_url", "buildername", "properties", "result_name",
        "results", "sourcestamps", "title_url", "workername",
    ]
    /// The members of `build`.
    package static let membersOfBuild = ["buildid", "builderid", "number", "results"]

    /// What is wrong with a path, `nil` when it leads somewhere or that can't be known.
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

/// What is wrong with a template, or with rendering it, and where.
public struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One sentence that says what is wrong and what to write.
    public let message: String
    /// Where it is in the template, in UTF-8 bytes.
    public let range: Range<Int>
    /// The line of the template, from 1.
    public let line: Int
    /// The character in the line, from 1.
    public let column: Int

    /// Makes an error about a part of a template.
    ///
    /// - Parameters:
    ///   - message: What is wrong and what to write.
    ///   - range: The part, in UTF-8 bytes.
    ///   - template: The text of the template.
    public init(_ message: String, at range: Range<Int>, in template: String) {
        self.message = message
        self.range = range
        (line, column) = template.utf8.prefix(range.lowerBound).lineAndColumnOfEnd
    }

    /// The message with its place.
    public var description: String {
        "\(message) (line \(line), column \(column) of the template)"
    }
}

/// An error before it is known which template it is in.
struct TemplateProblem: Error {
    let message: String
    let range: Range<Int>

    init(_ message: String, _ range: Range<Int>) {
        self.message = message
        self.range = range
    }
}
