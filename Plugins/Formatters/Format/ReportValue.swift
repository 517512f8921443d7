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

    private static func mapping(
        _ mapping: YAMLMapping, _ decoder: SettingDecoder
    ) -> ReportValue? {
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
        do {
            let template = try TemplateText(parsing: scalar.value)
            let places = ScalarPlaces(of: node)
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
    ///
    /// - Throws: When a part can't be computed, or the whole is too large or nests too deep.
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
