import MasterKit

/// The settings of steps that run a command.
struct CommandSettings: Settings {
    @Setting("What to run: a program with its arguments, or a line for the shell.", .primary)
    var command: Renderable<CommandLineSetting>

    @Setting("Variables for the command, over those of the builder and the worker.")
    var env: Renderable<CommandEnvironment?>

    @Setting("How long the command may print nothing; null for ever.")
    var timeout: Renderable<TimeLimit?> = Renderable(TimeLimit(duration: .seconds(1200)))

    @Setting("Which results exit codes stand for; all others are failures.")
    var decodeRC: Renderable<ExitCodeResults> = Renderable(.standard)

    /// What to do instead of a setting that these steps have not.
    static func hint(forUnknown name: String) -> String? {
        guard name.contains(" ") else { return nil }
        return "if it begins a command, put the whole command in quotes"
    }
}
