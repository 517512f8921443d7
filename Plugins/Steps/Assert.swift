public import MasterKit

/// Fails unless a condition holds.
public struct Assert: Step {
    /// What the step does.
    public static let summary = "Fails unless a condition is true."

    @Setting("The condition.", .primary)
    var check: AssertedCondition

    @Setting("What the state says when it is false.")
    var message: Renderable<String?>

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts() }

    /// Evaluates the condition.
    public func run(in context: StepContext) async throws -> Results {
        if try context.render(check.condition) {
            await context.setSummary("condition is true")
            return .success
        }
        let text = try context.render(message) ?? check.words(in: context)
        await context.setSummary(text)
        return .failure
    }
}

/// A condition with its text in the file.
struct AssertedCondition: SettingValue, RenderableValue {
    private static let longestValue = 60

    let condition: Renderable<Bool>
    private let spelling: String
    private let tag: String?
    /// The values that it compares.
    private let operands: [Renderable<JSONValue>]

    static var shape: String { Renderable<Bool>.shape }

    static var form: ValueForm { .computed(.boolean) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> AssertedCondition? {
        guard let condition = decoder.decode(Renderable<Bool>.self, from: node) else { return nil }
        var operands: [Renderable<JSONValue>] = []
        if let tag = node.tag?.name, ["Equal", "NotEqual", "OneOf", "Matches"].contains(tag) {
            // Read before, as parts of the condition, without a mistake.
            operands = (node.sequence ?? []).compactMap {
                decoder.decode(Renderable<JSONValue>.self, from: $0)
            }
        }
        return AssertedCondition(
            condition: condition, spelling: node.spelling, tag: node.tag?.name, operands: operands)
    }

    /// Which condition is false, and what it compared.
    func words(in context: StepContext) throws -> String {
        let text = "assertion failed: \(spelling)"
        let values = try operands.map { operand in
            let value = context.mask.apply(
                to: JSONWriter.compact.string(try context.render(operand)))
            return value.count > Self.longestValue
                ? value.prefix(Self.longestValue - 3) + "..." : value
        }
        guard values.count == 2 else { return text }
        switch tag {
        case "Equal": return "\(text): \(values[0]) is not \(values[1])"
        case "NotEqual": return "\(text): both are \(values[0])"
        case "OneOf": return "\(text): \(values[0]) is not in \(values[1])"
        default: return "\(text): \(values[0]) does not match"
        }
    }
}

extension YAMLNode {
    /// The node on one line, as it could be written in a file.
    fileprivate var spelling: String {
        let tag = tag?.name.map { "!\($0) " } ?? ""
        switch kind {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || !tag.isEmpty
            return tag + (isPlain ? scalar.value : "'\(scalar.value.replacing("'", with: "''"))'")
        case .sequence(let items):
            return "\(tag)[\(items.map(\.spelling).joined(separator: ", "))]"
        case .mapping(let mapping):
            let entries = mapping.entries.map { "\($0.key.spelling): \($0.value.spelling)" }
            return "\(tag){\(entries.joined(separator: ", "))}"
        }
    }
}

/// Writes the current value of an expression to a log.
public struct LogRenderable: Step {
    /// What the step does.
    public static let summary = "Writes a value into a log, to see what it is at this point."

    @Setting("The value: any JSON value.", .primary)
    var content: Renderable<JSONValue>

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["output"]) }

    /// Writes a string as is, any other value as JSON.
    public func run(in context: StepContext) async throws -> Results {
        let value = try context.render(content)
        let log = try await context.openLog("output", kind: .text)
        try await log.line(value.stringValue ?? JSONWriter.pretty.string(value))
        await context.setSummary("logged")
        return .success
    }
}
