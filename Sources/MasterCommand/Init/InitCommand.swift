internal import ArgumentParser
internal import FoundationEssentials

/// `init`: writes a master.yaml for the sources in a folder.
struct InitCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "init",
            abstract: "Writes a master.yaml that builds and tests the sources in a folder.",
            discussion: """
                Looks for Swift packages, CMake, Python, Node.js, Go, Rust, configure scripts and \
                makefiles. The file runs as it is; comments in it say what to change. An existing \
                master.yaml is never overwritten.

                Examples:

                  \(RootCommand.programName) init
                  \(RootCommand.programName) init libraries/parser
                """)
    }

    @Argument(
        help: ArgumentHelp(
            "The folder of the sources. (default: the current folder)", valueName: "folder"),
        completion: .directory)
    var folder = "."

    func run(in context: CommandContext) async throws -> ExitStatus {
        let project = try ProjectFolder(folder)
        guard !project.has("master.yml") else {
            throw FailedRun(
                "master.yml exists in the folder \(folder.shellQuoted); rename it to "
                    + "\(StarterFile.name), or run it with -c")
        }
        let projects = Project.all(in: project)
        let file = StarterFile(title: project.name, projects: projects)
        let path = folder == "." ? StarterFile.name : "\(folder)/\(StarterFile.name)"
        try file.write(to: path)
        let found =
            projects.isEmpty
            ? "no build system found, so its only step is an example"
            : "for the " + projects.map(\.title).joined(separator: ", the ")
        let isHere = folder == "."
        await context.console.print(
            "wrote \(path) (\(found)); to build, type: \(RootCommand.programName) run"
                + (isHere ? "" : " -c \(path.shellQuoted)"))
        await context.console.complain(projects.compactMap(\.note).map { "note: \($0)" })
        return .success
    }
}
