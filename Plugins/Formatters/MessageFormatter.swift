public import MasterKit

/// `formatters.MessageFormatter`: makes the body and the subject with templates.
public struct TemplateMessageFormatter: MessageFormatter, SettingHints {
    /// The name in files, which in Swift is that of the protocol.
    public static let pluginName = "MessageFormatter"
    /// What the formatter does.
    public static let summary = "Makes the body and the subject of a report with templates."

    @Setting("The body; by default a description in plain words.", .primary, .notEmpty)
    var template: ReportTemplate?

    @Setting("The subject; by default the result and the builder.", .notEmpty)
    var subject: ReportTemplate?

    @Setting("What the body is: plain, html or json.", .named("template_type"))
    var kind = TemplateText.Kind.plain

    @Setting("More names for the templates; they win over those that are there.")
    var ctx = JSONObject()

    @SettingGroup var details: WantedDetails

    /// Makes a formatter to be configured.
    public init() {}

    /// Finds names that no report has, and what does not go together.
    public func check(_ settings: SettingsCheck) {
        if kind == .json, template == nil {
            settings.error(
                "'template_type: json' needs a 'template', whose text is JSON", at: "template_type")
        }
        if subject?.text.text.contains(where: \.isNewline) == true {
            settings.error("'subject' is one line; take the line ends out", at: "subject")
        }
        for template in [template, subject] { template?.check(beside: ctx.keys, settings) }
    }

    /// What is asked for, and what the templates use.
    public var wanted: BuildDetails {
        let body =
            template.map { BuildDetails(usedBy: $0.text) }
            ?? BuildDetails(properties: false, steps: true, logs: true)
        let subject = subject.map { BuildDetails(usedBy: $0.text) }
        return details.details.union(subject.map(body.union) ?? body)
    }

    /// Renders the templates.
    ///
    /// - Throws: When a template can't be rendered, or the body of `template_type: json` is no JSON.
    public func format(_ topic: ReportTopic) throws -> Message {
        let context = topic.variables.merging(ctx)
        let subject = subject?.text ?? DefaultTemplates.subject(of: topic.kind)
        return Message(
            try Report.Body(body(of: topic, in: context), as: kind),
            subject: try rendered(subject, "subject", context))
    }

    /// The text of the body; in HTML the description in plain words stands as it is written.
    private func body(
        of topic: ReportTopic, in context: JSONObject
    ) throws(RenderError) -> String {
        var body = template?.text ?? DefaultTemplates.body(of: topic.kind)
        body.kind = kind
        let text = try rendered(body, "template", context)
        return template == nil && kind == .html ? "<pre>\n\(text)</pre>\n" : text
    }

    private func rendered(
        _ template: TemplateText, _ setting: String, _ context: JSONObject
    ) throws(RenderError) -> String {
        do {
            return try template.render(context)
        } catch {
            throw RenderError("'\(setting)' of \(Self.key): \(error)")
        }
    }

    /// What to do instead of a setting that this formatter has not.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "extra_info_cb", "function":
            "it takes code; write a formatter of your own in Swift"
        case "body", "format", "text": "write 'template'"
        case "type": "write 'template_type'"
        default: WantedDetails.hint(forUnknown: name)
        }
    }
}

extension TemplateMessageFormatter: NamingFormatter {
    /// What the templates name and `ctx` does not.
    var uses: [ReportTemplate.Use] {
        [template, subject].compactMap(\.self).flatMap(\.uses).filter { use in
            use.path.first.map { ctx[$0] == nil } ?? true
        }
    }
}

extension Report.Body {
    /// The body that a text is.
    ///
    /// - Throws: When the text is to be JSON and is none.
    init(_ text: String, as kind: TemplateText.Kind) throws(RenderError) {
        switch kind {
        case .plain: self = .plain(text)
        case .html: self = .html(text)
        case .json:
            do {
                self = .json(try JSONValue(parsing: text))
            } catch {
                throw RenderError(
                    "'template' gave no JSON: \(error); insert texts with the filter 'json', as "
                        + "in {{ build.state_string | json }}")
            }
        }
    }
}

extension TemplateText.Kind: SettingEnumeration {}
