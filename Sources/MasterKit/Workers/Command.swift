public import OrderedCollections

/// A command for a worker, as a value that can be sent to another machine.
///
/// The set is Buildbot's: a program or script, and the few file commands that steps need. In JSON a
/// command is a mapping with one entry, such as `{"mkdir": {"path": "out"}}`.
public enum Command: Sendable, Hashable {
    /// Runs a program or a shell command line.
    case shell(Shell)
    /// Creates a folder and its parents; it may already exist.
    case mkdir(MakeDirectory)
    /// Removes a folder and its contents, or a file.
    case rmdir(RemoveDirectory)
    /// Copies a folder and its contents.
    case cpdir(CopyDirectory)
    /// Returns the status of a path.
    case stat(Stat)
    /// Finds the paths that match a pattern.
    case glob(Glob)
    /// Lists the contents of a folder.
    case listdir(ListDirectory)
    /// Sends a file from the worker to the master, as updates of kind `content`.
    case uploadFile(UploadFile)
    /// Writes a file on the worker from bytes that the master supplies as input.
    case downloadFile(DownloadFile)
}

extension Command: Codable {
    private enum Name: String, CodingKey, CaseIterable {
        case shell, mkdir, rmdir, cpdir, stat, glob, listdir, uploadFile, downloadFile
    }

    /// Decodes a mapping with one entry: the command's name and its parameters.
    ///
    /// - Parameter decoder: The decoder to read from.
    /// - Throws: `DecodingError` unless there is exactly one entry with a known name.
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

    /// Encodes a mapping with one entry: the command's name and its parameters.
    ///
    /// - Parameter encoder: The encoder to write to.
    /// - Throws: `EncodingError` if the encoder cannot write a value.
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
    /// A program or shell command line to run.
    ///
    /// The program is started in a separate session, with `/dev/null` or ``stdin`` as its input.
    /// All processes it started are terminated with it, including those that left the session: when
    /// the program has exited, when a time limit expires, or when the caller is cancelled.
    public struct Shell: Sendable, Hashable, Codable {
        /// The program or script to run.
        public var invocation: Invocation

        /// The folder to run in; it must exist.
        public var workdir: String

        /// Variables to set in addition to the worker's environment; a `nil` value unsets the
        /// variable.
        ///
        /// In a value, `${NAME}` is replaced by the worker's variable, or by nothing if it is not
        /// set.
        public var environment: [String: String?] = [:]

        /// How long the program may produce no output on either stream, or `nil` for no limit.
        public var timeout: Duration? = .seconds(1200)

        /// How long the program may run, or `nil` for no limit.
        public var maxTime: Duration?

        /// The program's standard input.
        public var stdin: [UInt8] = []

        /// Whether stdout is wanted; if not, it is read and discarded.
        public var wantsStdout = true

        /// Whether stderr is wanted; if not, it is read and discarded.
        public var wantsStderr = true

        /// Whether the header lists the environment.
        public var logsEnvironment = false

        /// The maximum number of output lines over both streams, or `nil` for no limit.
        ///
        /// The first line beyond the limit is the last one in the output, and the program is
        /// terminated.
        public var maxLines: Int?

        /// Files whose content is streamed while the program writes them.
        public var logFiles: [LogFile] = []

        /// Whether stdout and stderr are one pipe, which is read as stdout, so that the order in
        /// which the program wrote to them is kept.
        ///
        /// A worker that can't do this reads them separately.
        public var mergesStreams = false

        /// Whether stdout and stderr are one pseudo-terminal, which is read as stdout.
        public var usesTerminal = false

        /// How long processes may take to exit after SIGTERM before they get ``interruptSignal``;
        /// zero skips SIGTERM.
        public var terminationGrace: Duration = .seconds(5)

        /// The signal for processes that did not exit after SIGTERM. If it is not SIGKILL, those
        /// that are still running five seconds later get SIGKILL.
        public var interruptSignal = Signal.kill

        /// How long output is still read after the program has exited, from processes it left
        /// behind with its streams open. These then get SIGTERM, and SIGKILL.
        public var drainTime: Duration = .seconds(1)

        /// Creates a command with the default limits.
        ///
        /// - Parameters:
        ///   - invocation: What to run: a list of arguments, or a shell command line.
        ///   - workdir: The folder to run in.
        public init(_ invocation: Invocation, in workdir: String) {
            self.invocation = invocation
            self.workdir = workdir
        }
    }
}

extension Command.Shell {
    /// A file that the program writes and whose content is part of the command's output.
    ///
    /// A file that does not change while the program runs is omitted.
    public struct LogFile: Sendable, Hashable, Codable {
        /// The name under which its content is reported.
        public var name: String

        /// The path; a relative path is resolved against the command's folder.
        public var path: String

        /// Whether only content added after the program's start is wanted.
        public var follows: Bool

        /// Creates a log file.
        ///
        /// - Parameters:
        ///   - name: The name under which its content is reported.
        ///   - path: The path; a relative path is resolved against the command's folder.
        ///   - follows: Whether only content added after the program's start is wanted.
        public init(_ name: String, at path: String, follows: Bool = false) {
            self.name = name
            self.path = path
            self.follows = follows
        }
    }

    /// A signal that can terminate a program.
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
    /// Reads a signal name, with or without the prefix `SIG`.
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
    /// A program with its arguments, or a shell command line.
    ///
    /// In JSON, the former is a list of strings, the latter a string.
    public enum Invocation: Sendable, Hashable {
        /// A program, as a path or a name to look up in `PATH`, and its arguments.
        case program([String])
        /// A command line for `/bin/sh -c`.
        case script(String)

        /// The program and its arguments, as passed to the system.
        public var arguments: [String] {
            switch self {
            case .program(let arguments): arguments
            case .script(let line): ["/bin/sh", "-c", line]
            }
        }
    }
}

extension Command.Invocation: ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    /// Creates a shell command line.
    ///
    /// - Parameter value: The command line.
    public init(stringLiteral value: String) {
        self = .script(value)
    }

    /// Creates a program invocation.
    ///
    /// - Parameter elements: The program and its arguments.
    public init(arrayLiteral elements: String...) {
        self = .program(elements)
    }
}

extension Command.Invocation: Codable {
    /// Decodes a list of strings or a string.
    ///
    /// - Parameter decoder: The decoder to read from.
    /// - Throws: `DecodingError` if it is neither.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        do {
            self = .script(try value.decode(String.self))
        } catch DecodingError.typeMismatch {
            self = .program(try value.decode([String].self))
        }
    }

    /// Encodes a list of strings or a string.
    ///
    /// - Parameter encoder: The encoder to write to.
    /// - Throws: `EncodingError` if the encoder cannot write a value.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .program(let arguments): try value.encode(arguments)
        case .script(let line): try value.encode(line)
        }
    }
}

extension Command.Invocation: CustomStringConvertible {
    /// The command line as typed into a shell.
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

/// The bytes a command reads from the master, chunk by chunk, as the worker is ready for them.
public struct CommandInput: Sendable {
    /// No bytes.
    public static let nothing = CommandInput { _ in [] }

    private let read: @Sendable (Int) async throws -> [UInt8]

    /// Creates an input that reads from a closure.
    ///
    /// - Parameter read: Called with the maximum number of bytes; returns at most that many, or an
    ///   empty array at the end. Calls never overlap, and there are none after the end.
    public init(_ read: @escaping @Sendable (_ limit: Int) async throws -> [UInt8]) {
        self.read = read
    }

    /// Returns the next bytes, or an empty array at the end.
    ///
    /// - Parameter limit: The maximum number of bytes to return, at least one.
    /// - Returns: The bytes, empty at the end.
    /// - Throws: Any error from the source of the bytes.
    public func next(_ limit: Int) async throws -> [UInt8] {
        try await read(limit)
    }
}

/// Variables to set for a command in addition to the worker's environment; null unsets one.
public struct CommandEnvironment: SettingValue, Hashable {
    /// The variables; a `nil` value unsets one.
    public let variables: OrderedDictionary<String, String?>

    /// Creates an environment.
    public init(_ variables: OrderedDictionary<String, String?> = [:]) {
        self.variables = variables
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a mapping of names to texts" }

    /// The form of the accepted values.
    public static var form: ValueForm {
        .mapping(of: .either([.optional(.text), .list(of: .text)]))
    }

    /// Reads a mapping of names to strings; a list is joined with `:` as in `PATH`.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> CommandEnvironment? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var variables: OrderedDictionary<String, String?> = [:]
        var isValid = true
        for entry in mapping.entries {
            guard let name = name(entry.key, decoder),
                let value = value(entry.value, of: name, decoder)
            else {
                isValid = false
                continue
            }
            if variables.updateValue(value, forKey: name) != nil {
                isValid = false
                decoder.reportDuplicateKey(name, at: entry.key.range)
            }
        }
        return isValid ? CommandEnvironment(variables) : nil
    }

    private static func name(_ node: YAMLNode, _ decoder: SettingDecoder) -> String? {
        guard let name = decoder.decode(String.self, from: node) else { return nil }
        guard !name.isEmpty, !name.contains("="), !name.contains("\0") else {
            return decoder.error(
                "'\(name.shortened)' can't name an environment variable", at: node.range)
        }
        return name
    }

    /// Reads the value of a variable: the outer `nil` is an error, the inner one unsets it.
    private static func value(
        _ node: YAMLNode, of name: String, _ decoder: SettingDecoder
    ) -> String?? {
        let subject = "'\(name.shortened)' in \(decoder.subject)"
        switch node.kind {
        // Also an expression that is written as a list or mapping.
        case _ where node.expressionName != nil, .scalar:
            return decoder.about(subject) { decoder.decode(String?.self, from: node) }
        case .sequence:
            let items = decoder.about("an item of \(subject)") {
                decoder.decode([String].self, from: node)
            }
            return items.map { $0.joined(separator: ":") }
        default:
            return decoder.about(subject) {
                decoder.mismatch(node, expected: "a text, or a list of texts to join with ':'")
            }
        }
    }
}
