internal import ArgumentParser
internal import MasterKit

/// Commands that the program does not have, such as those of Buildbot.
enum UnknownCommand {
    /// The commands that take the folder of a master in Buildbot.
    private static let ofFolders = ["start", "stop", "reconfig"]

    /// What is wrong with arguments that the parser has refused, if it is the command.
    static func fault(in arguments: [String]) -> String? {
        guard let name = arguments.first, !name.hasPrefix("-") else { return nil }
        let known =
            RootCommand.configuration.subcommands.flatMap {
                [$0._commandName] + $0.configuration.aliases
            } + ["help"]
        guard known.contains(name) else {
            let remedy = remedy(for: name) ?? Suggestion.remedy(for: name, among: known)
            return "there is no command '\(name.shortened)'; \(remedy)"
        }
        guard ofFolders.contains(name), arguments.count == 2, !arguments[1].hasPrefix("-") else {
            return nil
        }
        return "'\(name)' takes no '\(arguments[1].shortened)'; name the folder of the builds with "
            + "--basedir, and the file with -c"
    }

    /// What to write in place of a command of Buildbot.
    private static func remedy(for name: String) -> String? {
        switch name {
        case "create-master": "'init' writes a master.yaml, and 'start' makes its base folder"
        case "upgrade-master": "'start' upgrades the store"
        case "restart": "write 'stop', and then 'start'; 'reconfig' reads the file again"
        case "sighup": "write 'reconfig'"
        case "sendchange": "post the change to /change_hook/base"
        case "try", "tryserver":
            "push to a branch, and let a change source find it or 'force --branch' build it"
        case "rebuild": "'force' builds a builder, and the web page builds the same again"
        case "cleanupdb": "write 'clean', or set 'janitor' in the file"
        case "user": "list users in 'auth' of 'www'"
        case "create-worker": "it is one of the program buildbot-worker"
        default: nil
        }
    }
}
