import MasterKit

/// Counts the lines of a file and keeps the number in a property.
struct CountLines: Step {
    static let summary = "Counts the lines of a file."

    @Setting("The file, absolute or relative to the folder of the step.", .primary, .notEmpty)
    var path: Renderable<String>

    @Setting("The property that gets the number.")
    var property = "lines"

    func run(in context: StepContext) async throws -> Results {
        let path = try context.render(path)
        let log = try await context.openLog("stdio")
        var count = 0
        let file = path.hasPrefix("/") ? path : "\(context.workdir)/\(path)"
        let command = Command.uploadFile(.init(file))
        _ = try await context.run(command) { update in
            guard case .content(let bytes) = update.content else { return }
            count += bytes.count { $0 == UInt8(ascii: "\n") }
        }
        try await log.line("\(path) has \(count) lines")
        try await context.setProperty(property, to: .int(count))
        await context.setSummary("\(count) lines")
        return count == 0 ? .warnings : .success
    }
}
