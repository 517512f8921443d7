import MasterKit

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
        Revision: {{ properties.got_revision | default:"unknown" }}
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
