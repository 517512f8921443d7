public import MasterKit

/// The setting `format`: the body of reports, as a value whose strings are templates.
struct ReportFormat: SettingValue {
    let value: ReportValue
    /// The details of a build used in it.
    let needs: BuildDetails
    /// The names of the secrets used in it.
    let secrets: Set<String>

    static var shape: String { "any value; its texts are templates" }

    /// Whether the body is a mapping, as required for forms.
    var isMapping: Bool {
        switch value {
        case .mapping, .constant(.object): true
        case .computed, .template, .list, .constant: false
        }
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ReportFormat? {
        let (value, paths, secrets) = decoder.readMessage(allowingSecrets: true) {
            ReportValue(node, with: decoder)
        }
        warnOfEncodedText(node, decoder)
        return value.map { ReportFormat(value: $0, needs: needs($0, paths), secrets: secrets) }
    }

    /// Warns of a JSON string that could be written as a value.
    private static func warnOfEncodedText(_ node: YAMLNode, _ decoder: SettingDecoder) {
        guard let text = node.scalar?.value, text.hasPrefix("{") || text.hasPrefix("["),
            !text.hasPrefix("{{"), !text.hasPrefix("{%"), !text.hasPrefix("{#")
        else { return }
        decoder.warning(
            "'format' is a single text and arrives as a JSON string; write it as a YAML mapping "
                + "or list", at: node.range)
    }

    private static func needs(_ value: ReportValue, _ paths: [[String]]) -> BuildDetails {
        let templates = value.templates
        return BuildDetails(
            usedBy: templates.map(\.text),
            paths + templates.flatMap { $0.variables.map(\.path) })
    }
}

/// Also supports tags at the top level, such as `!Field build`.
extension ReportFormat: RenderableValue {}

/// Renders the body described by a reporter's `format`.
public struct BodyFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "Renders the body that 'format' of a reporter describes."

    private let value: ReportValue
    private let secrets: Set<String>
    /// The details requested by the reporter and those used by the body.
    public let wanted: BuildDetails

    /// Creates a formatter with a null body.
    public init() {
        value = .constant(.null)
        secrets = []
        wanted = BuildDetails()
    }

    init(_ format: ReportFormat, wanted: BuildDetails) {
        value = format.value
        secrets = format.secrets
        self.wanted = wanted.union(format.needs)
    }

    /// Renders the body, with random marks in place of secrets.
    ///
    /// - Throws: An error if a template cannot be rendered or the body is too large.
    public func format(_ topic: ReportTopic) throws -> Message {
        var context = topic.renderContext
        guard !secrets.isEmpty else { return Message(.json(try value.render(in: context))) }
        let marks = secrets.map { (name: $0, mark: Self.mark()) }
        context.secrets = SecretValues(
            Dictionary(uniqueKeysWithValues: marks.map { ($0.name, $0.mark) }))
        var message = Message(.json(try value.render(in: context)))
        message.secretMarks = Dictionary(uniqueKeysWithValues: marks.map { ($0.mark, $0.name) })
        return message
    }

    private static func mark() -> String {
        String(UInt64.random(in: 0...UInt64.max), radix: 36)
            + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    }
}

/// A value of `format`, parts of which are rendered for each report.
indirect enum ReportValue: Sendable {
    case constant(JSONValue)
    case template(TemplateText, at: SourceRange?)
    case computed(DeferredValue)
    case list([ReportValue])
    case mapping([(key: ReportValue, value: ReportValue)])

    /// Parses a node; returns `nil` if it is invalid, in which case an error was added to the
    /// decoder.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        if node.tag != nil {
            guard let value = decoder.decode(DeferredValue.self, from: node) else { return nil }
            self = .computed(value)
            return
        }
        if case .scalar(let scalar) = node.kind {
            self.init(scalar, of: node, with: decoder)
            return
        }
        let value = decoder.descending(into: node) { () -> ReportValue? in
            switch node.kind {
            case .sequence(let items): Self.list(items, decoder)
            case .mapping(let mapping): Self.mapping(mapping, decoder)
            case .scalar: nil
            }
        }
        guard let value else { return nil }
        self = value
    }

    private static func list(_ items: [YAMLNode], _ decoder: SettingDecoder) -> ReportValue? {
        let values = items.map { ReportValue($0, with: decoder) }
        let present = values.compactMap(\.self)
        return present.count == values.count ? .list(present) : nil
    }

    private static func mapping(_ mapping: YAMLMapping, _ decoder: SettingDecoder) -> ReportValue? {
        let pairs = mapping.entries.map { entry in
            (ReportValue(entry.key, with: decoder), ReportValue(entry.value, with: decoder))
        }
        let present = pairs.compactMap { key, value in
            key.flatMap { key in value.map { (key: key, value: $0) } }
        }
        return present.count == pairs.count ? .mapping(present) : nil
    }

    private init?(_ scalar: YAMLScalar, of node: YAMLNode, with decoder: SettingDecoder) {
        guard case .string = node.resolved else {
            guard let value = decoder.decode(JSONValue.self, from: node) else { return nil }
            self = .constant(value)
            return
        }
        let parsed = TemplateText.parse(scalar.value)
        let places = ScalarPlaces(of: node)
        for error in parsed.errors {
            decoder.error(error.message, at: places.range(ofUTF8: error.range) ?? node.range)
        }
        decoder.omit(parsed.omittedCount)
        for variable in parsed.template.variables where !variable.hasDefault {
            guard let fault = ReportTopic.fault(in: variable.path) else { continue }
            decoder.error(fault, at: places.range(ofUTF8: variable.range) ?? node.range)
        }
        guard parsed.errors.isEmpty else { return nil }
        self = .template(parsed.template, at: node.range)
    }

    /// Renders the value.
    ///
    /// - Throws: `RenderError` if a part cannot be rendered, or the result is too large or too
    ///   deep.
    func render(in context: RenderContext) throws(RenderError) -> JSONValue {
        var budget = JSONBudget()
        return try render(in: context, &budget, depth: 0)
    }

    private func render(
        in context: RenderContext, _ budget: inout JSONBudget, depth: Int
    ) throws(RenderError) -> JSONValue {
        let value: JSONValue
        switch self {
        case .list(let values):
            var items: [JSONValue] = []
            for value in values {
                items.append(try value.render(in: context, &budget, depth: depth + 1))
            }
            return .array(items)
        case .mapping(let pairs):
            var object = JSONObject()
            for pair in pairs {
                let key = try pair.key.render(in: context, &budget, depth: depth + 1)
                object[key.text ?? "null"] = try pair.value.render(
                    in: context, &budget, depth: depth + 1)
            }
            return .object(object)
        case .constant(let constant):
            value = constant
        case .template(let template, let range):
            do {
                value = .string(try template.render(context.template))
            } catch {
                throw RenderError("'format': \(error.message)", at: range)
            }
        case .computed(let computed):
            value = try computed.render(in: context)
        }
        do {
            try budget.take(value, depth: depth)
            return value
        } catch {
            throw RenderError("'format' \(error)")
        }
    }

    /// All templates in the value.
    var templates: [TemplateText] {
        switch self {
        case .template(let template, _): [template]
        case .list(let values): values.flatMap(\.templates)
        case .mapping(let pairs): pairs.flatMap { $0.key.templates + $0.value.templates }
        case .constant, .computed: []
        }
    }
}
