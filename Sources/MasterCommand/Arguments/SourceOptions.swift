internal import ArgumentParser

/// What is built, where that is not what the git checkout around the configuration says.
struct SourceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The branch that is built.", valueName: "name"))
    var branch: String?

    @Option(help: ArgumentHelp("The revision that is built.", valueName: "id"))
    var revision: String?

    @Option(help: ArgumentHelp("Where the source is kept.", valueName: "address"))
    var repository: String?

    @Option(help: ArgumentHelp("Which of several codebases it is.", valueName: "name"))
    var codebase: String?

    @Option(help: ArgumentHelp("The project that it belongs to.", valueName: "name"))
    var project: String?
}
