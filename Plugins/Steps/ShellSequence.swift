public import MasterKit

/// Runs several commands one after the other and combines their results.
public struct ShellSequence: Step, SettingHints {
    /// What the step does.
    public static let summary = "Runs several commands one after the other in one step."

    @Setting("What to run: commands, or {command, logname, haltOnFailure, …}.", .primary, .notEmpty)
    var commands: Renderable<[SequencedCommand]>

    @SettingGroup var process: ProcessSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        guard let commands = commands.constant else { return nil }
        return process.products(logs: commands.map(\.logname))
    }

    /// Runs the commands until the sequence is ended by a failure.
    public func run(in context: StepContext) async throws -> Results {
        var logs: [String: any StepLog] = [:]
        var combined = Results.success
        var state = ""
        for command in try context.render(commands) {
            if logs[command.logname] == nil {
                logs[command.logname] = try await context.openLog(command.logname)
            }
            let (results, words) = try await process.outcome(
                of: command.line, in: context, into: logs[command.logname])
            let contribution = command.contribution(of: results)
            // The state is that of the worst command, or of the last one if all succeeded.
            if contribution.severity > combined.severity || combined == .success { state = words }
            combined = Results.worst(combined, contribution) ?? contribution
            if results == .failure, command.haltsOnFailure { break }
        }
        await context.setSummary(state)
        return combined
    }

    /// A hint for a setting that this step does not have.
    public static func hint(forUnknown name: String) -> String? {
        name == "command" ? "write 'commands'" : nil
    }
}

/// A command in a sequence, and how its result affects the step.
struct SequencedCommand: SettingValue {
    let line: CommandLineSetting
    var logname = "stdio"
    var haltsOnFailure = false
    var flunksOnFailure = true
    var warnsOnFailure = false
    var flunksOnWarnings = false
    var warnsOnWarnings = false

    static var shape: String { "a command, or {command, logname, haltOnFailure, …}" }

    static var form: ValueForm { .either([CommandLineSetting.form, .settings(Form.self)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> SequencedCommand? {
        guard node.mapping != nil else {
            return decoder.decode(CommandLineSetting.self, from: node).map {
                SequencedCommand(line: $0)
            }
        }
        let form = decoder.read(
            Form.self, from: node, owner: "a command of 'commands'", at: node.range)
        guard let form else { return nil }
        return SequencedCommand(
            line: form.command, logname: form.logname, haltsOnFailure: form.haltOnFailure,
            flunksOnFailure: form.flunkOnFailure, warnsOnFailure: form.warnOnFailure,
            flunksOnWarnings: form.flunkOnWarnings, warnsOnWarnings: form.warnOnWarnings)
    }

    /// What a result of the command contributes to the step's result.
    func contribution(of results: Results) -> Results {
        switch results {
        case .failure where flunksOnFailure, .warnings where flunksOnWarnings: .failure
        case .failure where warnsOnFailure, .warnings where warnsOnWarnings: .warnings
        case .failure, .warnings, .success, .skipped: .success
        case .exception, .retry, .cancelled: results
        }
    }

    private struct Form: SettingHints {
        static func hint(forUnknown name: String) -> String? {
            switch name {
            case "util.ShellArg": "write its settings in place of it"
            case "logfile": "write 'logname'"
            default: nil
            }
        }

        @Setting("What to run.") var command: CommandLineSetting
        @Setting("The log for its output.", .notEmpty) var logname = "stdio"
        @Setting("A failure ends the sequence.") var haltOnFailure = false
        @Setting("A failure makes the step fail.") var flunkOnFailure = true
        @Setting("A failure gives the step warnings.") var warnOnFailure = false
        @Setting("Warnings make the step fail.") var flunkOnWarnings = false
        @Setting("Warnings give the step warnings.") var warnOnWarnings = false
    }
}
