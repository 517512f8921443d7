public import MasterKit

/// Runs a command on the worker, writing its output to the log `stdio`.
public struct ShellCommand: Step {
    /// What the step does.
    public static let summary = "Runs a program, or a line of shell."

    @SettingGroup var command: CommandSettings
    @SettingGroup var warnings: WarningSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        command.process.products(logs: ["warnings"], properties: ["warnings-count"])
    }

    /// Runs the command.
    public func run(in context: StepContext) async throws -> Results {
        try await warnings.counting(in: context) { observe in
            try await command.run(in: context, observing: observe)
        }
    }
}

/// Runs a command on the master's machine, in the folder of its configuration.
public struct MasterShellCommand: Step, SettingHints {
    /// What the step does.
    public static let summary = "Runs a program, or a line of shell, on the machine of the master."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @SettingGroup var command: CommandSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { command.process.products() }

    /// Runs the command.
    public func run(in context: StepContext) async throws -> Results {
        try await command.run(in: context, on: .master)
    }

    /// A hint for a setting that this step does not have.
    public static func hint(forUnknown name: String) -> String? {
        guard name == "path" else { return nil }
        return "the command runs in the folder of master.yaml; begin it with cd"
    }
}

/// The setting `command`: a list of a program and its arguments, or a shell command line.
struct CommandLineSetting: SettingValue {
    let invocation: Command.Invocation

    static var shape: String { "a line for the shell, or a list of a program and its arguments" }

    static var form: ValueForm { .either([.text, .list(of: Arguments.form)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> CommandLineSetting? {
        guard node.sequence != nil else { return line(node, decoder) }
        guard let arguments = decoder.decode(Arguments.self, from: node)?.texts else { return nil }
        guard let program = arguments.first, !program.isEmpty else {
            return decoder.error("\(decoder.subject) names no program", at: node.range)
        }
        if arguments.count == 1, program.contains(" "), !program.contains("/") {
            let words = program.split(separator: " ").joined(separator: ", ")
            decoder.warning(
                "'\(program)' is run as one program with a space in its name; write [\(words)], or "
                    + "the line without brackets", at: node.range)
        }
        return CommandLineSetting(invocation: .program(arguments))
    }

    private static func line(_ node: YAMLNode, _ decoder: SettingDecoder) -> CommandLineSetting? {
        guard node.scalar != nil, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        guard let line = decoder.decode(String.self, from: node) else { return nil }
        guard line.contains(where: { !$0.isWhitespace }) else {
            return decoder.error("\(decoder.subject) is empty", at: node.range)
        }
        warnOfComment(after: node, decoder)
        return CommandLineSetting(invocation: .script(line))
    }

    /// Warns about comments as in `make # all`, but not about comments further away.
    private static func warnOfComment(after node: YAMLNode, _ decoder: SettingDecoder) {
        guard let comment = node.trailingComment, let end = node.range?.end,
            comment.start.offset == end.offset + 1
        else { return }
        decoder.warning(
            "this is a YAML comment, not part of the command; put the command in quotes to "
                + "keep it, or put two spaces before the comment", at: comment)
    }

    /// Programs with longer paths are shown by their names.
    private static let longestPath = 24

    /// The state text of a step that runs the command: its first two words, quoted, or three if
    /// the second is an option and the third is one word; a program with a long path by its name,
    /// and a shell by the line that it runs, if it is one.
    func words(hiding secrets: SecretMask) -> String {
        func split(_ line: String) -> [String] {
            secrets.apply(to: line).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        var words: [String]
        switch invocation {
        case .script(let line): words = split(line)
        case .program(let arguments):
            words = arguments
            guard let program = words.first, let name = program.split(separator: "/").last
            else { break }
            if words.count > 2, String(name).isShell, words[1].isOptionForLine,
                !words[2].contains(where: \.isNewline)
            {
                words = split(words[2])
            } else if program.hasPrefix("/"), program.count > Self.longestPath {
                words[0] = String(name)
            }
        }
        let hasShortThird =
            words.count > 2 && words[1].hasPrefix("-")
            && !words[2].contains(where: \.isWhitespace)
        let count = hasShortThird ? 3 : 2
        let shown = words.prefix(count).joined(separator: " ")
        return words.count > count ? "'\(shown) ...'" : "'\(shown)'"
    }
}

extension String {
    /// Whether it is the name of a shell.
    fileprivate var isShell: Bool { ["sh", "bash", "dash", "zsh", "ksh"].contains(self) }

    /// Whether it is options of a shell, the last of which is that for a line, as in `-ec`.
    fileprivate var isOptionForLine: Bool {
        hasPrefix("-") && !hasPrefix("--") && hasSuffix("c")
    }
}

/// Arguments of a program; nested lists are flattened.
private struct Arguments: SettingValue {
    let texts: [String]

    static var shape: String { "a text or a list of texts" }

    /// Texts, and lists of texts; deeper lists are rare.
    static var form: ValueForm { .either([.text, .list(of: .either([.text, .list(of: .any)]))]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Arguments? {
        guard let items = node.sequence else {
            return decoder.decode(String.self, from: node).map { Arguments(texts: [$0]) }
        }
        let parts = items.map { decoder.decode(Arguments.self, from: $0) }
        let present = parts.compactMap(\.self)
        guard present.count == parts.count else { return nil }
        return Arguments(texts: present.flatMap(\.texts))
    }
}
