internal import ArgumentParser
internal import FoundationEssentials

/// The option for the configuration file.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration file.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file = Self.defaultFile

    /// Whether it is the default.
    var isDefault: Bool { file == Self.defaultFile }

    /// The folder of the file, absolute.
    var folder: String { URL(filePath: file).deletingLastPathComponent().path }

    private static let defaultFile = "master.yaml"
}

/// The option for the base folder.
struct BaseFolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder for builds, logs and undelivered reports. (default: .buildmaster beside the file)",
            valueName: "folder"),
        completion: .directory)
    var basedir: String?

    /// The absolute path of the folder; the configuration need not exist.
    func path(beside file: String) -> String {
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        return Self.absolute(basedir ?? folder + ".buildmaster")
    }

    /// The options that select the same folder, as a user types them.
    func spelling(_ source: ConfigurationOptions) -> String {
        if let basedir { return " --basedir \(basedir.shellQuoted)" }
        return source.isDefault ? "" : " -c \(source.file.shellQuoted)"
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}

extension String {
    /// The text quoted as one shell word.
    var shellQuoted: String {
        let isPlain = allSatisfy { $0.isLetter || $0.isNumber || "._-/:@%+=,".contains($0) }
        return isPlain && !isEmpty ? self : "'" + replacing("'", with: #"'\''"#) + "'"
    }
}

/// The options for the source stamp, which override the git checkout that contains the
/// configuration.
struct SourceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The branch, if not that of the git checkout.", valueName: "name"))
    var branch: String?

    @Option(help: ArgumentHelp("The revision, if not that of the git checkout.", valueName: "id"))
    var revision: String?

    @Option(
        help: ArgumentHelp("The repository, if not that of the git checkout.", valueName: "url"))
    var repository: String?

    @Option(help: ArgumentHelp("The name of the codebase.", valueName: "name"))
    var codebase: String?

    @Option(help: ArgumentHelp("The name of the project.", valueName: "name"))
    var project: String?

    /// Whether a checkout would add no information.
    var isComplete: Bool { branch != nil && revision != nil && repository != nil }
}
