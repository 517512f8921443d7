public import OrderedCollections

/// One piece of work for a worker, as a value that can be sent to another machine.
///
/// The set is Buildbot's: a program or script, and the few file commands that steps need. In JSON a
/// command is a mapping of one entry, such as `{"mkdir": {"path": "out"}}`.
public enum Command: Sendable, Hashable {
    /// Runs a program, or a line of shell.
    case shell(Shell)
    /// Makes a folder and those above it; one that is there already is fine.
    case mkdir(MakeDirectory)
    /// Removes a folder, or a file, with all that is in it.
    case rmdir(RemoveDirectory)
    /// Copies a folder with all that is in it.
    case cpdir(CopyDirectory)
    /// Tells what is at a path.
    case stat(Stat)
    /// Finds the paths that match a pattern.
    case glob(Glob)
    /// Names what is in a folder.
    case listdir(ListDirectory)
    /// Sends a file of the worker to the master, as updates of kind `content`.
    case uploadFile(UploadFile)
    /// Writes a file on the worker with the bytes the master gives as input.
    case downloadFile(DownloadFile)
}

extension Command: Codable {
    private enum Name: String, CodingKey, CaseIterable {
        case shell, mkdir, rmdir, cpdir, stat, glob, listdir, uploadFile, downloadFile
    }

    /// Reads a mapping of one entry: the command's name, and what it needs.
    ///
    /// - Parameter decoder: Where to read from.
    /// - Throws: `DecodingError` when there is not exactly one entry of a known name.
    public init(from decoder: any Decoder) throws {
        let entries = try decoder.container(keyedBy: Name.self)
        guard let name = entries.allKeys.first, entries.allKeys.count == 1 else {
            let names = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a command is a mapping of one entry, one of \(names)")
            )
        }
        self =
            switch name {
            case .shell: .shell(try entries.decode(Shell.self, forKey: name))
            case .mkdir: .mkdir(try entries.decode(MakeDirectory.self, forKey: name))
            case .rmdir: .rmdir(try entries.decode(RemoveDirectory.self, forKey: name))
            case .cpdir: .cpdir(try entries.decode(CopyDirectory.self, forKey: name))
            case .stat: .stat(try entries.decode(Stat.self, forKey: name))
            case .glob: .glob(try entries.decode(Glob.self, forKey: name))
            case .listdir: .listdir(try entries.decode(ListDirectory.self, forKey: name))
            case .uploadFile: .uploadFile(try entries.decode(UploadFile.self, forKey: name))
            case .downloadFile: .downloadFile(try entries.decode(DownloadFile.self, forKey: name))
            }
    }

    /// Writes a mapping of one entry: the command's name, and what it needs.
    ///
    /// - Parameter encoder: Where to write to.
    /// - Throws: `EncodingError` when the encoder cannot write a value.
    public func encode(to encoder: any Encoder) throws {
        var entries = encoder.container(keyedBy: Name.self)
        switch self {
        case .shell(let shell): try entries.encode(shell, forKey: .shell)
        case .mkdir(let directory): try entries.encode(directory, forKey: .mkdir)
        case .rmdir(let directory): try entries.encode(directory, forKey: .rmdir)
        case .cpdir(let copy): try entries.encode(copy, forKey: .cpdir)
        case .stat(let stat): try entries.encode(stat, forKey: .stat)
        case .glob(let glob): try entries.encode(glob, forKey: .glob)
        case .listdir(let directory): try entries.encode(directory, forKey: .listdir)
        case .uploadFile(let file): try entries.encode(file, forKey: .uploadFile)
        case .downloadFile(let file): try entries.encode(file, forKey: .downloadFile)
        }
    }
}

extension Command {
    /// A program to run, or a line of shell.
    ///
    /// The program is started in a session of its own, with `/dev/null` or ``stdin`` as its input.
    /// Whatever it started is ended with it, also what has left the session: when the program has
    /// exited, when a time limit is over, when the caller is cancelled.
    public struct Shell: Sendable, Hashable, Codable {
        /// What to run.
        public var invocation: Invocation

        /// The folder to run in; it must be there.
        public var workdir: String

        /// Variables to set on top of the worker's own; those without a value are unset.
        ///
        /// In a value `${NAME}` is the value of a variable of the worker, nothing when it is not set.
        public var environment: [String: String?] = [:]

        /// How long the program may write nothing to either stream; `nil` for no limit.
        public var timeout: Duration? = .seconds(1200)

        /// How long the program may run; `nil` for no limit.
        public var maxTime: Duration?

        /// What the program reads from its standard input.
        public var stdin: [UInt8] = []

        /// Whether what it writes to stdout is wanted; if not, it is read and dropped.
        public var wantsStdout = true

        /// Whether what it writes to stderr is wanted; if not, it is read and dropped.
        public var wantsStderr = true

        /// Whether the header lists the environment.
        public var logsEnvironment = false

        /// How many lines of output the program may write, over both streams; none is for any.
        ///
        /// The first line beyond them is the last of the output, and the program is ended.
        public var maxLines: Int?

        /// Files that are handed on while the program writes them.
        public var logFiles: [LogFile] = []

        /// Whether stdout and stderr are one pseudo-terminal, which is read as stdout.
        public var usesTerminal = false

        /// How long processes may take to end after TERM before they get ``interruptSignal``; zero
        /// leaves TERM out.
        public var terminationGrace: Duration = .seconds(5)

        /// What ends processes that TERM did not end. Those that another signal than KILL does not
        /// end within five seconds get KILL.
        public var interruptSignal = Signal.kill

        /// How long output is still read, after the program has exited, from processes it left
        /// behind with its streams open. Then those get TERM, and KILL.
        public var drainTime: Duration = .seconds(1)

        /// Makes a command with the usual limits.
        ///
        /// - Parameters:
        ///   - invocation: What to run: a list of arguments, or a line for the shell.
        ///   - workdir: The folder to run in.
        public init(_ invocation: Invocation, in workdir: String) {
            self.invocation = invocation
            self.workdir = workdir
        }
    }
}

extension Command.Shell {
    /// A file that the program writes, and whose content is part of what the command has to say.
    ///
    /// A file that does not change while the program runs is left out.
    public struct LogFile: Sendable, Hashable, Codable {
        /// The name under which its content is handed on.
        public var name: String

        /// Where it is; a relative path is taken from the command's folder.
        public var path: String

        /// Whether only what is added after the program's start is wanted.
        public var follows: Bool

        /// Makes a file to hand on.
        ///
        /// - Parameters:
        ///   - name: The name under which its content is handed on.
        ///   - path: Where it is.
        ///   - follows: Whether only what is added after the program's start is wanted.
        public init(_ name: String, at path: String, follows: Bool = false) {
            self.name = name
            self.path = path
            self.follows = follows
        }
    }

    /// A signal that ends a program.
    public enum Signal: String, Sendable, Hashable, Codable, CaseIterable {
        case hangup = "HUP"
        case interrupt = "INT"
        case quit = "QUIT"
        case abort = "ABRT"
        case kill = "KILL"
        case user1 = "USR1"
        case user2 = "USR2"
        case terminate = "TERM"
    }
}

extension Command.Shell.Signal: SettingEnumeration {
    /// Reads a name, with or without SIG before it.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        if let name = node.scalarText, name.hasPrefix("SIG"),
            let signal = Self(rawValue: String(name.dropFirst(3)))
        {
            return signal
        }
        return named(by: node, with: decoder)
    }
}

extension Command {
    /// A program with its arguments, or a line for the shell.
    ///
    /// In JSON the one is a list of texts, the other a text.
    public enum Invocation: Sendable, Hashable {
        /// A program, by path or by a name found in `PATH`, and its arguments.
        case program([String])
        /// A line that `/bin/sh -c` runs.
        case script(String)

        /// The program and its arguments, as they are passed to the system.
        public var arguments: [String] {
            switch self {
            case .program(let arguments): arguments
            case .script(let line): ["/bin/sh", "-c", line]
            }
        }
    }
}

extension Command.Invocation: ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// Makes a line for the shell.
    ///
    /// - Parameter value: The line.
    public init(stringLiteral value: String) {
        self = .script(value)
    }

    /// Makes a program with arguments.
    ///
    /// - Parameter elements: The program and its arguments.
    public init(arrayLiteral elements: String...) {
        self = .program(elements)
    }
}

extension Command.Invocation: Codable {
    /// Reads a list of texts or a text.
    ///
    /// - Parameter decoder: Where to read from.
    /// - Throws: `DecodingError` when it is neither.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        do {
            self = .script(try value.decode(String.self))
        } catch DecodingError.typeMismatch {
            self = .program(try value.decode([String].self))
        }
    }

    /// Writes a list of texts or a text.
    ///
    /// - Parameter encoder: Where to write to.
    /// - Throws: `EncodingError` when the encoder cannot write a value.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .program(let arguments): try value.encode(arguments)
        case .script(let line): try value.encode(line)
        }
    }
}

extension Command.Invocation: CustomStringConvertible {
    /// The line as one would type it into a shell.
    public var description: String {
        switch self {
        case .program(let arguments): arguments.map(Self.quoted).joined(separator: " ")
        case .script(let line): line
        }
    }

    private static func quoted(_ argument: String) -> String {
        let isPlain = argument.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default:
                "@%+=:,./-_".utf8.contains(byte)
            }
        }
        if isPlain, !argument.isEmpty { return argument }
        return "'"
            + argument.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\"'\"'") + "'"
    }
}

/// The bytes a command takes from the master, piece by piece, when the worker is ready for them.
public struct CommandInput: Sendable {
    /// No bytes.
    public static let nothing = CommandInput { _ in [] }

    private let read: @Sendable (Int) async throws -> [UInt8]

    /// Takes the bytes from a function.
    ///
    /// - Parameter read: Called with the number of bytes that are welcome; returns at most as many,
    ///   and none at the end. Never called twice at once, and not again after the end.
    public init(_ read: @escaping @Sendable (_ limit: Int) async throws -> [UInt8]) {
        self.read = read
    }

    /// Gives the next bytes, or none at the end.
    ///
    /// - Parameter limit: The most bytes to return, at least one.
    /// - Returns: The bytes; none at the end.
    /// - Throws: What the source of the bytes throws.
    public func next(_ limit: Int) async throws -> [UInt8] {
        try await read(limit)
    }
}

/// Variables that a command gets beside the environment of the worker; null unsets one.
public struct CommandEnvironment: SettingValue, Hashable {
    /// The variables, `nil` for one that is unset.
    public let variables: OrderedDictionary<String, String?>

    /// Makes an environment.
    public init(_ variables: OrderedDictionary<String, String?> = [:]) {
        self.variables = variables
    }

    /// A mapping.
    public static var shape: String { "a mapping of names to texts" }

    /// Reads a mapping of names to texts; a list is joined with `:` as in `PATH`.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> CommandEnvironment? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var variables: OrderedDictionary<String, String?> = [:]
        var isRight = true
        for entry in mapping.entries {
            guard let name = name(entry.key, decoder), let value = value(entry.value, decoder)
            else {
                isRight = false
                continue
            }
            if variables.updateValue(value, forKey: name) != nil {
                isRight = false
                decoder.reportDoubledKey(name, at: entry.key.range)
            }
        }
        return isRight ? CommandEnvironment(variables) : nil
    }

    private static func name(_ node: YAMLNode, _ decoder: SettingDecoder) -> String? {
        guard let name = decoder.decode(String.self, from: node) else { return nil }
        guard !name.isEmpty, !name.contains("="), !name.contains("\0") else {
            return decoder.error(
                "'\(name.shortened)' can't name an environment variable", at: node.range)
        }
        return name
    }

    /// Reads the value of a variable, of which there are two kinds of absence.
    private static func value(_ node: YAMLNode, _ decoder: SettingDecoder) -> String?? {
        guard case .sequence = node.kind else {
            return decoder.decode(String?.self, from: node)
        }
        return decoder.decode([String].self, from: node).map { $0.joined(separator: ":") }
    }
}
