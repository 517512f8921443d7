public import MasterKit

/// Runs a command on the worker; what it prints goes into the log `stdio` as it comes.
public struct ShellCommand: Step, SettingHints {
    /// What the step does.
    public static let summary = "Runs a program, or a line of shell."

    @SettingGroup var command: CommandSettings

    /// Makes a step to be configured.
    public init() {}

    /// Runs the command.
    public func run(in context: StepContext) async throws -> Results {
        try await command.run(in: context)
    }

    /// What to do instead of a setting that this step has not.
    public static func hint(forUnknown name: String) -> String? {
        CommandSettings.hint(forUnknown: name)
    }
}
