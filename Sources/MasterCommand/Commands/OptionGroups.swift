internal import ArgumentParser
internal import FoundationEssentials
internal import MasterRuntime

/// The option for the configuration file.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [
            .customShort("c", allowingJoined: true), .customLong("config"),
            .customShort("f", allowingJoined: true),
        ],
        help: ArgumentHelp("The configuration file.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file = Self.defaultFile

    func validate() throws {
        // Of a variable that is not set, as in '-c "$FILE"'.
        if file.isEmpty { throw ValidationError("-c '': name a file, or omit the option") }
    }

    /// Whether it is the default.
    var isDefault: Bool { file == Self.defaultFile }

    /// The folder of the file, absolute.
    var folder: String { URL(filePath: file).deletingLastPathComponent().path }

    static let defaultFile = "master.yaml"
}

/// The option for the base folder.
struct BaseFolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder for builds, logs and undelivered reports. (default: .buildmaster beside the file)",
            valueName: "folder"),
        completion: .directory)
    var basedir: String?

    func validate() throws {
        guard basedir != "" else {
            throw ValidationError("--basedir '': name a folder, or omit the option")
        }
    }

    /// The absolute path of the folder; the configuration need not exist.
    func path(beside file: String) -> String {
        basedir.map(Self.absolute) ?? Self.standardPath(beside: file)
    }

    /// The absolute path of the folder of a command without the option.
    static func standardPath(beside file: String) -> String {
        let folder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        return absolute(folder + ".buildmaster")
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
    @Option(
        name: .customLong("source"),
        help: ArgumentHelp(
            "Let steps.Git take this working tree with its uncommitted changes. (--source alone: .)",
            valueName: "folder"),
        completion: .directory)
    var tree: String?

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

/// The options for running some steps of a build.
struct StepOptionGroup: ParsableArguments {
    @Option(help: ArgumentHelp("Begin with this step.", valueName: "step"))
    var from: String?

    @Option(help: ArgumentHelp("End after this step.", valueName: "step"))
    var until: String?

    @Option(
        help: ArgumentHelp(
            "Run only this step, by name or pattern; repeatable.", valueName: "step"))
    var only: [String] = []

    /// The selected steps.
    var selection: StepSelection { StepSelection(first: from, last: until, only: only) }

    func validate() throws {
        if !only.isEmpty, from != nil || until != nil {
            throw ValidationError("--only contradicts --from and --until; keep one")
        }
    }
}

/// The options for files with the results of a run.
struct ResultFileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write the results as JUnit XML.", valueName: "file"),
        completion: .file(extensions: ["xml"]))
    var junit: String?

    @Option(
        help: ArgumentHelp("Write a summary in Markdown.", valueName: "file"),
        completion: .file(extensions: ["md"]))
    var summary: String?

    /// The result files to write.
    var results: ResultFiles { ResultFiles(junit: junit, summary: summary) }
}
