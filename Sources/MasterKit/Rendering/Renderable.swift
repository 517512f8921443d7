public import MasterHTTP

/// A setting whose value may be computed each time a build uses it, at any depth.
///
/// ```swift
/// @Setting("Address of the request.", .primary) var url: Renderable<HTTPAddress>
/// …
/// let address = try context.render(url)
/// ```
///
/// The type does not require `Value` to be a ``SettingValue``, because Swift would look up that
/// conformance at run time for each type of setting; the functions that use it do.
public struct Renderable<Value: Sendable>: Sendable {
    private enum Form: Sendable {
        case value(Value)
        case tree(RenderTree, subject: String, range: SettingRange?, folder: String?)
    }

    private let form: Form

    /// Creates a constant value.
    public init(_ value: Value) {
        self.form = .value(value)
    }

    /// Creates a value computed by an expression.
    public init(_ expression: any Expression) {
        self.form = .tree(
            .expression(expression, of: nil), subject: "the value", range: nil, folder: nil)
    }

    /// The value if it can be determined without a build.
    public var constant: Value? {
        if case .value(let value) = form { value } else { nil }
    }

    /// The keys of a mapping of which only values are computed; `nil` for any other value.
    public var keysOfComputed: [String]? {
        guard case .tree(.mapping(let pairs, _), _, _, _) = form else { return nil }
        let keys = pairs.compactMap { $0.key.constant?.scalarText }
        return keys.count == pairs.count ? keys : nil
    }
}

extension Renderable where Value: SettingValue {
    /// Computes the value.
    ///
    /// - Throws: If a part can't be computed or the result is not valid for the setting.
    public func render(in context: RenderContext) throws(RenderError) -> Value {
        switch form {
        case .value(let value):
            return value
        case .tree(let tree, let subject, let range, let folder):
            var context = context
            context.insertsIntoAddress = Value.self is any AddressValue.Type
            let node = try tree.render(in: context)
            let decoder = SettingDecoder(folder: folder)
            decoder.subject = subject
            decoder.range = range
            decoder.origin = tree.origin
            if let value = decoder.decode(Value.self, from: node) { return value }
            if let name = tree.missingProperty(in: context) {
                throw RenderError(
                    "\(name) is not set; \(subject) needs this property: set it with -p "
                        + "\(name)=VALUE, or write !Property {key: \(name), default: VALUE}",
                    at: tree.range)
            }
            let fault = decoder.diagnostics.first { $0.severity == .error }
            throw RenderError(
                Self.message(fault, subject, node, context.secrets.mask),
                at: fault?.range ?? tree.range)
        }
    }

    /// Describes what is wrong with a computed value.
    ///
    /// Such a message may show part of the value; since the mask does not recognize a partial
    /// secret, nothing is shown of a value that contains one.
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
    /// Whether a string in the node, or a key of a mapping, satisfies a condition.
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

/// A value that reads the expressions in it itself, including one at the top level.
public protocol RenderableValue {}

extension Renderable: RenderableValue {}

extension Optional: RenderableValue where Wrapped: RenderableValue {}

extension Renderable: SettingValue where Value: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { Value.shape }

    /// The value of an omitted setting.
    public static var absent: Renderable<Value>? { Value.absent.map { Renderable($0) } }

    /// Reads a constant value, or validates the constant parts of one.
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
            Renderable(
                form: .tree(
                    $0, subject: decoder.subject, range: decoder.range, folder: decoder.folder))
        }
    }

    private init(form: Form) {
        self.form = form
    }
}

/// A value with parts that are computed at run time: list items, mapping values and keys.
indirect enum RenderTree: Sendable {
    case constant(YAMLNode)
    case expression(any Expression, of: YAMLNode?)
    case sequence([RenderTree], of: YAMLNode)
    case mapping([(key: RenderTree, value: RenderTree)], of: YAMLNode)

    /// Reads a node; errors in its expressions are added to the decoder.
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

    /// The value if it is known at load time.
    var constant: YAMLNode? {
        if case .constant(let node) = self { node } else { nil }
    }

    /// Replaces every expression with its value.
    ///
    /// - Throws: If a value can't be computed, or the result is too large or too deeply nested.
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

    /// The first property without a default that the value refers to and the build lacks.
    func missingProperty(in context: RenderContext) -> String? {
        switch self {
        case .constant: nil
        case .expression(let property as Property, _):
            property.fallback == nil && context.properties[property.name] == nil
                ? property.name : nil
        case .expression: nil
        case .sequence(let items, _):
            items.lazy.compactMap { $0.missingProperty(in: context) }.first
        case .mapping(let pairs, _):
            pairs.lazy.compactMap { $0.value.missingProperty(in: context) }.first
        }
    }

    /// The location of the value.
    var range: SourceRange? {
        switch self {
        case .constant(let node), .sequence(_, let node), .mapping(_, let node): node.range
        case .expression(_, let node): node?.range
        }
    }
}

extension JSONBudget {
    /// Charges a node against the budget as the value it represents.
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
    /// Creates a node for a value that does not come from a file.
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

extension HTTPAddress: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "an address such as \(example)" }

    /// Reads an absolute URL that begins with `http://` or `https://`.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HTTPAddress? {
        if case .sequence = node.kind {
            return decoder.error(
                "\(decoder.subject) takes one address, not a list; write one entry for each "
                    + "address", at: node.range)
        }
        guard let text = String.decode(node, with: decoder) else { return nil }
        do {
            return try HTTPAddress(text)
        } catch {
            return decoder.error("\(decoder.subject) \(error.reason)", at: node.range)
        }
    }
}

/// A value whose computed strings are URLs: values inserted by `!Interpolate` are encoded so that
/// they cannot extend beyond their component of the URL.
public protocol AddressValue: SettingValue {}

extension HTTPAddress: AddressValue {}

extension Optional: AddressValue where Wrapped: AddressValue {}
