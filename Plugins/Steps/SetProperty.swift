public import MasterKit

/// Sets a property of the build to any value.
public struct SetProperty: Step {
    /// What the step does.
    public static let summary = "Sets a property of the build."

    @Setting("The name of the property.")
    var property: Renderable<PropertyName>

    @Setting("Its value, anything JSON can hold.")
    var value: Renderable<JSONValue>

    /// Makes a step to be configured.
    public init() {}

    /// Sets the property.
    public func run(in context: StepContext) async throws -> Results {
        let name = try context.render(property).text
        try await context.setProperty(name, to: try context.render(value))
        await context.setSummary("property '\(name)' set")
        return .success
    }
}
