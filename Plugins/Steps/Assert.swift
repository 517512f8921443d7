public import MasterKit

/// Fails unless a condition holds.
public struct Assert: Step {
    /// What the step does.
    public static let summary = "Fails unless a condition is true."

    @Setting("The condition.", .primary)
    var check: Renderable<Bool>

    @Setting("What the state says when it is false.")
    var message: Renderable<String?>

    /// Creates an unconfigured step.
    public init() {}

    /// Evaluates the condition.
    public func run(in context: StepContext) async throws -> Results {
        if try context.render(check) {
            await context.setSummary("condition is true")
            return .success
        }
        await context.setSummary(try context.render(message) ?? "condition is false")
        return .failure
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

    /// Writes a string as is, any other value as JSON.
    public func run(in context: StepContext) async throws -> Results {
        let value = try context.render(content)
        let log = try await context.openLog("output", kind: .text)
        try await log.line(value.stringValue ?? JSONWriter.pretty.string(value))
        await context.setSummary("logged")
        return .success
    }
}
