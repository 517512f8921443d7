import MasterKit

/// Runs a line of shell, and keeps the number of the lines that it prints.
struct CountLines: Step {
    static let summary = "Counts the lines that a command prints."

    @Setting("The line of shell.", .primary, .notEmpty, .example("ls"))
    var command: Renderable<String>

    @Setting("The property that gets the number.") var property = "lines"

    func run(in context: StepContext) async throws -> Results {
        let script = Command.Invocation.script(try context.render(command))
        var count = 0
        let shell = Command.Shell(script, in: context.workdir)
        let result = try await context.run(shell, observing: { _ in count += 1 })
        try await context.setProperty(property, to: .int(count))
        await context.setSummary("\(count) lines")
        return result.isSuccess ? .success : .failure
    }
}
