internal import ArgumentParser

/// `plugins`: what a master.yaml can declare.
struct PluginsCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "plugins", abstract: "Shows what a master.yaml can declare.",
            subcommands: [PluginsListCommand.self])
    }
}
