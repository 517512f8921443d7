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
