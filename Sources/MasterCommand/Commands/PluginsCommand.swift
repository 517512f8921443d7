internal import ArgumentParser
internal import MasterKit

/// `plugins`: what a master.yaml can declare.
struct PluginsCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "plugins", abstract: "Shows what a master.yaml can declare.",
            subcommands: [PluginsListCommand.self])
    }
}

/// `plugins list`: lists all plugins with their keys and summaries.
struct PluginsListCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list",
            abstract: "Lists the plugins with their keys.")
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let console = context.console
        let width = console.output.canRedraw ? console.size.columns : Int.max
        await console.print(Self.lines(context.registry, console.output, width: width))
        return .success
    }

    /// Formats one line per plugin, including the module unless it is the standard one.
    static func lines(_ registry: Registry, _ traits: TerminalTraits, width: Int) -> [String] {
        let paint = TextPainter(hasColour: traits.hasColour)
        var table = TextTable(paint: paint)
        for entry in registry.entries {
            let isOwn = entry.origin != "StandardPlugins"
            table.add([
                .init("\(entry.key)", .bold),
                .init(entry.type.summary + (isOwn ? " (\(entry.origin))" : "")),
            ])
        }
        return table.lines(
            width: width, ellipsis: StatusSymbols(hasUnicode: traits.hasUnicode).ellipsis)
    }
}
