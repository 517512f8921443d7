internal import ArgumentParser
internal import MasterKit

/// `schema`: prints what editors need to complete and check a master.yaml.
struct SchemaCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "schema",
            abstract: "Prints the JSON Schema of a master.yaml, for editors.",
            discussion: """
                The schema describes the plugins of this program, down to each setting, within \
                what draft-07 and 2020-12 have in common. It cannot tell whether names refer to \
                something, or whether a text is well-formed; '\(RootCommand.programName) check' and \
                '\(RootCommand.programName) lsp' do.

                Examples:

                  \(RootCommand.programName) schema > \(defaultFile)
                  \(RootCommand.programName) schema --vscode > .vscode/settings.json
                  \(RootCommand.programName) schema --markdown > AllSettings.md
                """)
    }

    private static let defaultFile = "master.schema.json"

    @Flag(
        name: .customLong("vscode"),
        help: "Print settings for the YAML extension of Visual Studio Code instead.")
    var isForVSCode = false

    @Flag(
        name: .customLong("markdown"),
        help: "Print a page with all settings and plugins for people instead.")
    var isForPeople = false

    @Option(
        help: ArgumentHelp(
            "With --vscode: the file that holds the schema, relative to the workspace.",
            valueName: "file"),
        completion: .file(extensions: ["json"]))
    var schemaFile = Self.defaultFile

    @OptionGroup var plugins: LoadedPluginOptions

    func validate() throws {
        guard !isForVSCode || !isForPeople else {
            throw ValidationError("--vscode and --markdown exclude each other")
        }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        guard !isForVSCode else {
            let settings = Self.settings(schema: schemaFile)
            await context.console.print(JSONWriter.pretty.string(settings).lines)
            return .success
        }
        let registry = try await plugins.registry(in: context)
        let lines =
            isForPeople
            ? SettingsReference.lines(for: registry)
            : JSONWriter.pretty.string(ConfigurationSchema.json(for: registry)).lines
        await context.console.print(lines)
        return .success
    }

    /// Settings for the YAML extension of Visual Studio Code, and other clients of
    /// yaml-language-server.
    static func settings(schema file: String) -> JSONValue {
        let isRelative = !file.hasPrefix("/") && !file.hasPrefix("./") && !file.contains("://")
        let tags = TagDescription.all.flatMap { tag in
            tag.kinds.map { JSONValue.string("\(tag.name) \($0)") }
        }
        return [
            "yaml.schemas": .object([
                (isRelative ? "./" : "") + file: ["master.yaml", "master.yml"]
            ]),
            "yaml.customTags": .array(tags),
        ]
    }
}
