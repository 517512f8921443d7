internal import ArgumentParser

/// Where the configuration is.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The configuration.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file = Self.defaultFile

    /// Whether it is the one that is taken when nothing is said.
    var isDefault: Bool { file == Self.defaultFile }

    private static let defaultFile = "master.yaml"
}
