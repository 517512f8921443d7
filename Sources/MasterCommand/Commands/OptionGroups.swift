internal import ArgumentParser
internal import FoundationEssentials

/// Where the configuration is.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file = Self.defaultFile

    /// Whether it is the one that is taken when nothing is said.
    var isDefault: Bool { file == Self.defaultFile }

    /// The folder of the file, absolute.
    var folder: String { URL(filePath: file).deletingLastPathComponent().path }

    private static let defaultFile = "master.yaml"
}

/// Where everything is kept.
struct BaseFolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder for everything that is kept; by default .buildmaster beside the file.",
            valueName: "folder"),
        completion: .directory)
    var basedir: String?

    /// The folder, absolute; the configuration beside which it is need not be there.
    func path(beside file: String) -> String {
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        return Self.absolute(basedir ?? folder + ".buildmaster")
    }

    /// The options that name the same folder, as a person types them.
    func spelling(_ source: ConfigurationOptions) -> String {
        if let basedir { return " --basedir \(basedir.shellQuoted)" }
        return source.isDefault ? "" : " -c \(source.file.shellQuoted)"
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

extension String {
    /// The text as one word of a shell.
    var shellQuoted: String {
        let isPlain = allSatisfy { $0.isLetter || $0.isNumber || "._-/:@%+=,".contains($0) }
        return isPlain && !isEmpty ? self : "'" + replacing("'", with: #"'\''"#) + "'"
    }
}

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

    /// Whether a checkout could add nothing.
    var isComplete: Bool { branch != nil && revision != nil && repository != nil }
}
