public import MasterKit

/// Makes the body of a value that is computed, such as `!Interpolate "…"`.
public struct MessageFormatterRenderable: MessageFormatter, SettingHints {
    /// What the formatter does.
    public static let summary = "Renders the body from an expression, such as !Interpolate."

    @Setting("The body: a text is sent as plain text, a list or a mapping as JSON.", .primary)
    var template: ReportExpression

    @Setting("The subject.")
    var subject: ReportExpression?

    @SettingGroup var details: WantedDetails

    /// Makes a formatter to be configured.
    public init() {}

    /// What is asked for, and what the values use.
    public var wanted: BuildDetails {
        let needs = template.needs.union(subject?.needs ?? template.needs)
        return details.details.union(needs)
    }

    /// Computes the values.
    ///
    /// - Throws: When a value can't be computed, or the body is null.
    public func format(_ topic: ReportTopic) throws -> Message {
        let context = topic.renderContext
        let subject = try subject?.value.render(in: context)
        return Message(
            try Report.Body(computed: try template.value.render(in: context)),
            subject: subject?.text)
    }

    /// What to do instead of a setting that this formatter has not.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "template_type", "ctx":
            "use formatters.MessageFormatter for it; here the value itself is sent"
        default: WantedDetails.hint(forUnknown: name)
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

/// A value of a report that may be computed, with what it uses.
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

/// Makes no body and no subject: for receivers to which the request itself says enough.
public struct MessageFormatterEmpty: MessageFormatter {
    /// What the formatter does.
    public static let summary = "Sends no body: the request itself is the message."

    /// Makes the formatter.
    public init() {}

    /// Nothing is fetched.
    public var wanted: BuildDetails { BuildDetails(properties: false) }

    /// No words.
    public func format(_ topic: ReportTopic) -> Message {
        Message(.empty)
    }
}
