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
        do {
            template = try TemplateText(parsing: text, kind: .plain)
        } catch {
            decoder.error(
                error.message,
                at: node.range(ofUTF8: error.range) ?? node.range)
            return nil
        }
        decoder.requireBuild("!Template", at: node.range)
        let places = ScalarPlaces(of: node)
        for variable in template.variables {
            decoder.note(
                templateVariable: variable.path,
                at: places.range(ofUTF8: variable.range) ?? node.range)
        }
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
