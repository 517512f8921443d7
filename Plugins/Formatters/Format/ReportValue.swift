import MasterKit

/// A value of `format`, parts of which are computed for each report.
indirect enum ReportValue: Sendable {
    case constant(JSONValue)
    case template(TemplateText, at: SourceRange?)
    case computed(DeferredValue)
    case list([ReportValue])
    case mapping([(key: ReportValue, value: ReportValue)])

    /// Reads a node; what is wrong with it goes to the decoder.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        if node.tag != nil {
            guard let value = decoder.decode(DeferredValue.self, from: node) else { return nil }
            self = .computed(value)
            return
        }
        switch node.kind {
        case .scalar(let scalar): self.init(scalar, of: node, with: decoder)
        case .sequence(let items):
            let values = items.map { ReportValue($0, with: decoder) }
            let present = values.compactMap(\.self)
            guard present.count == values.count else { return nil }
            self = .list(present)
        case .mapping(let mapping):
            let pairs = mapping.entries.map { entry in
                (ReportValue(entry.key, with: decoder), ReportValue(entry.value, with: decoder))
            }
            let present = pairs.compactMap { key, value in
                key.flatMap { key in value.map { (key: key, value: $0) } }
            }
            guard present.count == pairs.count else { return nil }
            self = .mapping(present)
        }
    }

    private init?(_ scalar: YAMLScalar, of node: YAMLNode, with decoder: SettingDecoder) {
        guard case .string = node.resolved else {
            guard let value = decoder.decode(JSONValue.self, from: node) else { return nil }
            self = .constant(value)
            return
        }
        do {
            let template = try TemplateText(parsing: scalar.value)
            for variable in template.variables where !variable.hasDefault {
                guard let fault = ReportVariables.fault(in: variable.path) else { continue }
                decoder.error(fault, at: places.range(ofUTF8: variable.range) ?? node.range)
            }
            self = .template(template, at: node.range)
        } catch {
            decoder.error(error.message, at: node.range(ofUTF8: error.range) ?? node.range)
            return nil
        }
    }

    /// Computes the value.
    func render(in context: RenderContext) throws(RenderError) -> JSONValue {
        switch self {
            let places = ScalarPlaces(of: node)
        case .constant(let value):
            return value
        case .template(let template, let range):
            do {
                return .string(try template.render(context.template))
            } catch {
                throw RenderError("'format': \(error.message)", at: range)
            }
        case .computed(let value):
            return try value.render(in: context)
        case .list(let values):
            return .array(
                try values.map { value throws(RenderError) in try value.render(in: context) })
        case .mapping(let pairs):
            var object = JSONObject()
            for pair in pairs {
                let key = try pair.key.render(in: context)
                object[key.text ?? "null"] = try pair.value.render(in: context)
            }
            return .object(object)
        }
    }

    /// Every template in the value.
    var templates: [TemplateText] {
        switch self {
        case .template(let template, _): [template]
        case .list(let values): values.flatMap(\.templates)
        case .mapping(let pairs): pairs.flatMap { $0.key.templates + $0.value.templates }
        case .constant, .computed: []
        }
    }
}
