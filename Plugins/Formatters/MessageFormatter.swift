public import MasterKit

/// `formatters.MessageFormatter`: formats the body and subject with templates.
public struct TemplateMessageFormatter: MessageFormatter, SettingHints {
    /// The name in files; in Swift, it is the name of the protocol.
    public static let pluginName = "MessageFormatter"
    /// What the formatter does.
    public static let summary = "Formats the body and the subject of a report with templates."

    @Setting("The body; by default a plain description.", .primary, .notEmpty)
    var template: ReportTemplate?

    @Setting("The subject; by default the result and the builder.", .notEmpty)
    var subject: ReportTemplate?

    @Setting("The format of the body: plain, html or json.", .named("template_type"))
    var kind = TemplateText.Kind.plain

    @Setting("More variables for the templates; they override those of the report.")
    var ctx = JSONObject()

    @SettingGroup var details: WantedDetails

    /// Creates an unconfigured formatter.
    public init() {}

    /// Reports names that do not exist in reports, and conflicting settings.
    public func check(_ settings: SettingsCheck) {
        if kind == .json, template == nil {
            settings.error(
                "'template_type: json' needs a 'template', whose text is JSON", at: "template_type")
        }
        if subject?.text.text.contains(where: \.isNewline) == true {
            settings.error("'subject' is one line; remove the line breaks", at: "subject")
        }
        for template in [template, subject] { template?.check(beside: ctx.keys, settings) }
    }

    /// The requested details and those used by the templates.
    public var wanted: BuildDetails {
        let body =
            template.map { BuildDetails(usedBy: $0.text) }
            ?? BuildDetails(properties: false, steps: true, logs: true)
        let subject = subject.map { BuildDetails(usedBy: $0.text) }
        return details.details.union(subject.map(body.union) ?? body)
    }

    /// Renders the templates.
    ///
    /// - Throws: An error if a template cannot be rendered, or the body with `template_type: json`
    ///   is not valid JSON.
    public func format(_ topic: ReportTopic) throws -> Message {
        let context = topic.variables.merging(ctx)
        let subject = subject?.text ?? DefaultTemplates.subject(of: topic.kind)
        return Message(
            try Report.Body(body(of: topic, in: context), as: kind),
            subject: try rendered(subject, "subject", context))
    }

    /// The text of the body; in HTML, the default description is preformatted.
    private func body(of topic: ReportTopic, in context: JSONObject) throws(RenderError) -> String {
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

    /// A hint for a setting that this formatter does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "extra_info_cb", "function":
            "it takes code, which a file can't hold; write your own formatter in Swift"
        case "body", "format", "text": "write 'template'"
        case "type": "write 'template_type'"
        default: nil
        }
    }
}

extension TemplateMessageFormatter: NamingFormatter {
    /// The names used by the templates that are not in `ctx`.
    var uses: [ReportTemplate.Use] {
        [template, subject].compactMap(\.self).flatMap(\.uses).filter { use in
            use.path.first.map { ctx[$0] == nil } ?? true
        }
    }
}

extension Report.Body {
    /// Creates a body from a text.
    ///
    /// - Throws: `RenderError` if the text should be JSON but is not valid.
    init(_ text: String, as kind: TemplateText.Kind) throws(RenderError) {
        switch kind {
        case .plain: self = .plain(text)
        case .html: self = .html(text)
        case .json:
            do {
                self = .json(try JSONValue(parsing: text))
            } catch {
                throw RenderError(
                    "'template' did not render to valid JSON: \(error); write {{ }} inside quotes "
                        + "for a text, and without quotes for any other value")
            }
        }
    }
}

/// The settings for the details that a formatter requests.
struct WantedDetails: SettingHints {
    @Setting("Include the build's properties.", .named("want_properties"))
    var properties = true

    @Setting("Include the build's steps.", .named("want_steps"))
    var steps = false

    @Setting("Include the logs of the steps.", .named("want_logs"))
    var logs = false

    @Setting("Include the content of logs.", .named("want_logs_content"))
    var logContents = LogContentChoice(contents: .none)

    @Setting("The number of lines to include from the end of each log; by default all.")
    var tail: LineCount?

    /// The requested details.
    var details: BuildDetails {
        BuildDetails(
            properties: properties, steps: steps, logs: logs, logContents: logContents.contents,
            logTail: tail?.count)
    }

    /// A hint for settings from earlier versions of Buildbot.
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "wantProperties": "write 'want_properties'"
        case "wantSteps": "write 'want_steps'"
        case "wantLogs": "write 'want_logs', and 'want_logs_content' for their content"
        case "wantPreviousBuild":
            "the result of the build before is 'previous_results' in templates"
        default: nil
        }
    }
}

/// The setting `tail`: a number of lines.
struct LineCount: SettingValue {
    let count: Int

    static var shape: String { "a number of lines from 1 to 100000, such as 20" }

    static var form: ValueForm { .integer }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LineCount? {
        guard case .int(let count) = node.resolved, 1...100_000 ~= count else {
            return decoder.mismatch(node, expected: shape)
        }
        return LineCount(count: count)
    }
}

/// The setting `want_logs_content`: none, all, or logs with certain names.
struct LogContentChoice: SettingValue {
    let contents: BuildDetails.LogContents

    static var shape: String { "true, false or a list of logs, as 'log' or 'step.log'" }

    static var form: ValueForm { .either([.boolean, .list(of: .text)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LogContentChoice? {
        guard node.sequence != nil else {
            guard let isWanted = decoder.boolean(of: node) else {
                return decoder.mismatch(node, expected: shape)
            }
            return LogContentChoice(contents: isWanted ? .all : .none)
        }
        return decoder.decode([LogName].self, from: node).map {
            LogContentChoice(contents: .named(Set($0.map(\.text))))
        }
    }
}

/// The default templates of `formatters.MessageFormatter`.
enum DefaultTemplates {
    /// The default body template for a kind of topic.
    static func body(of kind: EventKind.Record) -> TemplateText {
        switch kind {
        case .build: build
        case .step: step
        case .buildset: buildset
        default: request
        }
    }

    /// The default subject template for a kind of topic.
    static func subject(of kind: EventKind.Record) -> TemplateText {
        switch kind {
        case .build: buildSubject
        case .step: stepSubject
        case .buildset: buildsetSubject
        default: requestSubject
        }
    }

    private static let buildSubject = template(
        "{{ status_detected }}: {{ buildername }} #{{ build.number }} ({{ projects }})")

    private static let stepSubject = template(
        "{{ status_detected }}: {{ step.name }} of {{ buildername }} #{{ build.number }} "
            + "({{ projects }})")

    private static let buildsetSubject = template(
        "{{ status_detected }}: whole buildset ({{ projects }})")

    private static let requestSubject = template(
        "{{ summary }}: {{ buildername }} ({{ projects }})")

    private static let build = template(
        """
        {{ summary }}

        Builder:  {{ buildername }} #{{ build.number }} ({{ status_detected }})
        Project:  {{ projects }}
        Address:  {{ build_url }}
        Revision: {{ properties.got_revision or properties.revision or "unknown" }}
        Worker:   {{ workername }}
        Reason:   {{ buildset.reason }}
        People:   {{ blamelist | join:", " }}

        {% for step in build.steps -%}
        {{ step.number }}. {{ step.name }}: {{ result_names[step.results] }} \
        ({{ step.state_string }})
        {% for log in step.logs %}   {{ log.name }}: {{ log.url }}
        {% endfor %}{% empty -%}
        No steps so far.
        {% endfor %}
        """)

    private static let step = template(
        """
        {{ summary }}

        Step:    {{ step.number }}. {{ step.name }} ({{ status_detected }})
        Builder: {{ buildername }} #{{ build.number }}
        Project: {{ projects }}
        Address: {{ build_url }}

        """)

    private static let request = template(
        """
        {{ summary }}

        Builder: {{ buildername }}
        Project: {{ projects }}
        Address: {{ build_url }}
        Reason:  {{ buildset.reason }}

        """)

    private static let buildset = template(
        """
        {{ summary }}

        Project: {{ projects }}
        Reason:  {{ buildset.reason }}
        People:  {{ blamelist | join:", " }}

        {% for build in builds -%}
        {{ build.builder.name }} #{{ build.number }}: {{ result_names[build.results] }} \
        ({{ build.state_string }})
           {{ build.url }}
        {% empty -%}
        No builds were made.
        {% endfor %}
        """)

    /// Parses a built-in template.
    private static func template(_ text: String) -> TemplateText {
        do {
            return try TemplateText(parsing: text)
        } catch {
            preconditionFailure("a template of the program itself is wrong: \(error)")
        }
    }
}
