/// A setting whose value may be computed each time a build uses it, at any depth.
///
/// ```swift
/// @Setting("Address of the request.", .primary) var url: Renderable<HTTPAddress>
/// …
/// let address = try context.render(url)
/// ```
public struct Renderable<Value: SettingValue>: Sendable {
    private enum Form: Sendable {
        case value(Value)
        case tree(RenderTree, subject: String, folder: String?)
    }

    private let form: Form

    /// A value that is known now.
    public init(_ value: Value) {
        self.form = .value(value)
    }

    /// A value that an expression computes.
    public init(_ expression: any Expression) {
        self.form = .tree(.expression(expression, of: nil), subject: "the value", folder: nil)
    }

    /// The value when it needs no build to be known.
    public var constant: Value? {
        if case .value(let value) = form { value } else { nil }
    }

    /// Computes the value.
    ///
    /// - Throws: When a part can't be computed or the result is not what the setting takes.
    public func render(in context: RenderContext) throws(RenderError) -> Value {
        switch form {
        case .value(let value):
            return value
        case .tree(let tree, let subject, let folder):
            var context = context
            context.insertsIntoAddress = Value.self is any AddressValue.Type
            let node = try tree.render(in: context)
            let decoder = SettingDecoder(folder: folder)
            decoder.subject = subject
            decoder.origin = tree.origin
            if let value = decoder.decode(Value.self, from: node) { return value }
            let fault = decoder.diagnostics.first { $0.severity == .error }
            throw RenderError(
                Self.message(fault, subject, node, context.secrets.mask),
                at: fault?.range ?? tree.range)
        }
    }

    /// What is wrong with a computed value.
    ///
    /// A message may show a part of the value; a part of a secret is not recognised by the mask,
    /// so of a value that holds a secret nothing is shown.
    private static func message(
        _ fault: Diagnostic?, _ subject: String, _ node: YAMLNode, _ mask: SecretMask
    ) -> String {
        let plain = "\(subject) must be \(Value.shape)"
        if node.holdsText(where: { mask.apply(to: $0) != $0 }) {
            return plain + "; the computed value is not, and has a secret in it, so it is not shown"
        }
        return fault?.message ?? plain
    }
}

extension YAMLNode {
    /// Whether a text in the node, or a key of a mapping, meets a condition.
    fileprivate func holdsText(where condition: (String) -> Bool) -> Bool {
        switch kind {
        case .scalar(let scalar): condition(scalar.value)
        case .sequence(let items): items.contains { $0.holdsText(where: condition) }
        case .mapping(let mapping):
            mapping.entries.contains {
                $0.key.holdsText(where: condition) || $0.value.holdsText(where: condition)
            }
        }
    }
}

/// A value that reads the expressions in it itself, also one at its very top.
public protocol RenderableValue {}

extension Renderable: RenderableValue {}

extension Optional: RenderableValue where Wrapped: RenderableValue {}

extension Renderable: SettingValue {
    /// What the value accepts.
    public static var shape: String { Value.shape }

    /// What the value is when it is not given.
    public static var absent: Renderable<Value>? { Value.absent.map { Renderable($0) } }

    /// Reads a plain value, or checks the parts of it that are plain.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> Renderable<Value>? {
        let start = decoder.keptCount
        let tree = RenderTree(node, with: decoder)
        if let constant = tree?.constant {
            let isLoaded = LoadedTag(of: node) != nil
            let value = decoder.decode(Value.self, from: isLoaded ? node : constant)
            return value.map { Renderable($0) }
        }
        decoder.probing(since: start) { _ = decoder.decode(Value.self, from: node) }
        return tree.map {
            Renderable(form: .tree($0, subject: decoder.subject, folder: decoder.folder))
        }
    }

    private init(form: Form) {
        self.form = form
    }
}

/// A value in which some parts are computed at run time: list items, mapping values and keys.
indirect enum RenderTree: Sendable {
    case constant(YAMLNode)
    case expression(any Expression, of: YAMLNode?)
    case sequence([RenderTree], of: YAMLNode)
    case mapping([(key: RenderTree, value: RenderTree)], of: YAMLNode)

    /// Reads a node; what is wrong with an expression in it goes to the decoder.
    init?(_ node: YAMLNode, with decoder: SettingDecoder) {
        if node.isPlaceholder { return nil }
        if let loaded = LoadedTag(of: node) {
            guard let value = loaded.value(of: node, with: decoder) else { return nil }
            self.init(value, with: decoder)
            return
        }
        if node.expressionName != nil {
            guard let expression = node.expression(with: decoder) else { return nil }
            self = .expression(expression, of: node)
            return
        }
        if case .scalar = node.kind {
            self = .constant(node)
            return
        }
        let tree = decoder.descending(into: node) { () -> RenderTree? in
            switch node.kind {
            case .sequence(let items): RenderTree(items: items, of: node, with: decoder)
            case .mapping(let mapping): RenderTree(mapping, of: node, with: decoder)
            case .scalar: nil
            }
        }
        guard let tree else { return nil }
        self = tree
    }

    private init?(items: [YAMLNode], of node: YAMLNode, with decoder: SettingDecoder) {
        let trees = items.map { RenderTree($0, with: decoder) }
        let present = trees.compactMap(\.self)
        guard present.count == trees.count else { return nil }
        let constants = present.compactMap(\.constant)
        self =
            constants.count == present.count
            ? .constant(node.replacing(.sequence(constants)))
            : .sequence(present, of: node)
    }

    private init?(_ mapping: YAMLMapping, of node: YAMLNode, with decoder: SettingDecoder) {
        var pairs: [(key: RenderTree, value: RenderTree)] = []
        for entry in mapping.entries {
            let key = RenderTree(entry.key, with: decoder)
            let value = RenderTree(entry.value, with: decoder)
            if let key, let value { pairs.append((key, value)) }
        }
        guard pairs.count == mapping.entries.count else { return nil }
        let constants = pairs.compactMap { pair in
            pair.key.constant.flatMap { key in
                pair.value.constant.map { YAMLMapping.Entry(key: key, value: $0) }
            }
        }
        self =
            constants.count == pairs.count
            ? .constant(node.replacing(.mapping(YAMLMapping(constants))))
            : .mapping(pairs, of: node)
    }

    /// The value when it is known at load.
    var constant: YAMLNode? {
        if case .constant(let node) = self { node } else { nil }
    }

    /// Replaces every expression by its value.
    ///
    /// - Throws: When a value can't be computed, or the whole is too large or nests too deep.
    func render(in context: RenderContext) throws(RenderError) -> YAMLNode {
        var budget = JSONBudget()
        return try render(in: context, &budget, depth: 0)
    }

    private func render(
        in context: RenderContext, _ budget: inout JSONBudget, depth: Int
    ) throws(RenderError) -> YAMLNode {
        switch self {
        case .constant(let node):
            try charge { budget throws(JSONTooLarge) in try budget.take(node, depth: depth) }
            return node
        case .expression(let expression, let node):
            let value: JSONValue
            do {
                value = try expression.evaluate(in: context)
            } catch {
                throw RenderError(error.message, at: error.range ?? node?.range)
            }
            try charge { budget throws(JSONTooLarge) in try budget.take(value, depth: depth) }
            return YAMLNode(json: value)
        case .sequence(let items, _):
            try charge { budget throws(JSONTooLarge) in try budget.open(depth) }
            var rendered: [YAMLNode] = []
            for item in items {
                rendered.append(try item.render(in: context, &budget, depth: depth + 1))
            }
            return YAMLNode(rendered)
        case .mapping(let pairs, let node):
            try charge { budget throws(JSONTooLarge) in try budget.open(depth) }
            let entries = try Self.entries(pairs, of: node, in: context, &budget, depth: depth + 1)
            return YAMLNode(YAMLMapping(entries))
        }

        func charge(_ take: (inout JSONBudget) throws(JSONTooLarge) -> Void) throws(RenderError) {
            do {
                try take(&budget)
            } catch {
                throw RenderError("the value \(error)", at: range)
            }
        }
    }

    private static func entries(
        _ pairs: [(key: RenderTree, value: RenderTree)], of node: YAMLNode,
        in context: RenderContext, _ budget: inout JSONBudget, depth: Int
    ) throws(RenderError) -> [YAMLMapping.Entry] {
        var names = ExactDictionary<Bool>()
        var entries: [YAMLMapping.Entry] = []
        for pair in pairs {
            let key = try pair.key.render(in: context, &budget, depth: depth)
            guard let name = key.scalarText, !key.isNull else {
                throw RenderError(
                    "a key of this mapping is \(key.kindDescription), not a text",
                    at: pair.key.range ?? node.range)
            }
            guard names.updateValue(true, forKey: name) == nil else {
                throw RenderError(
                    "two keys of this mapping have the same value", at: pair.key.range ?? node.range
                )
            }
            let value = try pair.value.render(in: context, &budget, depth: depth)
            entries.append(.init(key: key, value: value))
        }
        return entries
    }

    /// Where the value stands.
    var range: SourceRange? {
        switch self {
        case .constant(let node), .sequence(_, let node), .mapping(_, let node): node.range
        case .expression(_, let node): node?.range
        }
    }
}

extension JSONBudget {
    /// Takes a node as the value that it stands for.
    fileprivate mutating func take(_ node: YAMLNode, depth: Int) throws(JSONTooLarge) {
        switch node.kind {
        case .scalar(let scalar): try take(bytes: scalar.value.utf8.count)
        case .sequence(let items):
            try open(depth)
            for item in items { try take(item, depth: depth + 1) }
        case .mapping(let mapping):
            try open(depth)
            for entry in mapping.entries {
                try take(entry.key, depth: depth + 1)
                try take(entry.value, depth: depth + 1)
            }
        }
    }
}

extension YAMLNode {
    /// A node for a value that stands in no file.
    package convenience init(json value: JSONValue) {
        switch value {
        case .null: self.init(YAMLScalar("null"))
        case .bool(let flag): self.init(flag)
        case .number(let number): self.init(YAMLScalar(number.spelling))
        case .string(let text): self.init(text)
        case .array(let items): self.init(items.map { YAMLNode(json: $0) })
        case .object(let object):
            self.init(
                YAMLMapping(
                    object.map { .init(key: YAMLNode($0.key), value: YAMLNode(json: $0.value)) }))
        }
    }
}
