import MasterKit

/// How a program ended.
struct ProgramEnd: Sendable {
    var ending: CommandResult.Ending
    var timedOut: CommandResult.Limit?
}
