public import MasterKit

/// Formats the body from an expression such as `!Interpolate "…"`.
public struct MessageFormatterRenderable: MessageFormatter, SettingHints {
    /// What the formatter does.
    public static let summary = "Renders the body from an expression, such as !Interpolate."

    @Setting("The body: a text is sent as plain text, a list or a mapping as JSON.", .primary)
    var template: ReportExpression

    @Setting("The subject.")
    var subject: ReportExpression?

    @SettingGroup var details: WantedDetails

    /// Creates an unconfigured formatter.
    public init() {}

    /// The requested details and those used by the expressions.
    public var wanted: BuildDetails {
        let needs = template.needs.union(subject?.needs ?? template.needs)
        return details.details.union(needs)
    }

    /// Renders the expressions.
    ///
    /// - Throws: An error if an expression cannot be rendered, or the body is null.
    public func format(_ topic: ReportTopic) throws -> Message {
        let context = topic.renderContext
        let subject = try subject?.value.render(in: context)
        return Message(
            try Report.Body(computed: try template.value.render(in: context)),
            subject: subject?.text)
    }

    /// A hint for a setting that this formatter does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "template_type", "ctx":
            "use formatters.MessageFormatter for it; here the value itself is sent"
        default: nil
        }
    }
}

extension Report.Body {
    fileprivate init(computed value: JSONValue) throws(RenderError) {
        switch value {
        case .array, .object: self = .json(value)
        case .bool, .number, .string: self = .plain(value.text ?? "")
        case .null:
            throw RenderError(
                "'template' of \(MessageFormatterRenderable.key) rendered to null; give what it "
                    + "refers to a default")
        }
    }
}

/// An expression in a report, with the details it uses.
struct ReportExpression: SettingValue, RenderableValue {
    let value: DeferredValue
    let needs: BuildDetails

    static var shape: String { "a value such as !Interpolate \"%(prop:branch)s\"" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportExpression? {
        let (value, paths, _) = decoder.readMessage {
            decoder.decode(DeferredValue.self, from: node)
        }
        if let text = node.scalarText, text.contains("{{") {
            decoder.warning(
                "'{{ … }}' is sent as it is; use formatters.MessageFormatter, or write !Template "
                    + "before the text", at: node.range)
        }
        return value.map {
            ReportExpression(value: $0, needs: BuildDetails(usedBy: [], paths))
        }
    }
}

/// Formats no body and no subject, for receivers that need only the request itself.
public struct MessageFormatterEmpty: MessageFormatter {
    /// What the formatter does.
    public static let summary = "Sends no body: the request itself is the message."

    /// Creates a formatter.
    public init() {}

    /// Does not fetch anything.
    public var wanted: BuildDetails { BuildDetails(properties: false) }

    /// Returns an empty message.
    public func format(_ topic: ReportTopic) -> Message {
        Message(.empty)
    }
}
