/// The interface of a running step to its build, the worker, logs, and HTTP.
public struct StepContext: Sendable {
    /// The step's name in this build.
    public let name: String
    /// The step's position in the build, starting at 1.
    public let number: Int
    /// The step's logger; messages include the build and the step, and are masked.
    public let logger: Logger
    let host: any StepHost

    /// Creates a context backed by a host.
    package init(name: String, number: Int, logger: Logger, host: any StepHost) {
        self.name = name
        self.number = number
        self.logger = logger
        self.host = host
    }

    /// Computes the current value of a setting.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>
    ) throws(RenderError) -> Value {
        try setting.render(in: host.renderContext)
    }

    /// Computes the current value of an optional setting, or `nil` if it was omitted.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>?
    ) throws(RenderError) -> Value? {
        guard let setting else { return nil }
        return try setting.render(in: host.renderContext)
    }

    /// Replaces secrets in everything that is displayed or stored.
    ///
    /// Mask a string before truncating it: a partial secret is not recognized.
    public var mask: SecretMask { host.renderContext.secrets.mask }

    /// The current properties of the build.
    public var properties: Properties { host.renderContext.properties }

    /// The sources of the build, one per codebase.
    public var sourceStamps: [SourceStamp] { host.renderContext.sourceStamps }

    /// Sets a property of the build, with the step's name as its source.
    ///
    /// - Throws: ``JSONTooLarge`` if the value, or all properties of the build together, would be
    ///   too large.
    public func setProperty(_ property: String, to value: JSONValue) async throws(JSONTooLarge) {
        try await host.setProperty(property, to: value, source: name)
    }

    /// Sets the state text: a short phrase for what the step is doing or how it ended.
    public func setSummary(_ text: String) async {
        await host.setSummary(text)
    }

    /// Attaches a link to the step, such as that of a report; it is shown and reported with the
    /// step.
    ///
    /// - Parameters:
    ///   - name: The text of the link; a second link with the same name replaces the first one.
    ///   - url: The address.
    public func addURL(_ name: String, _ url: String) async {
        await host.addURL(name, url)
    }

    /// Records that the step was ended by a time limit; its state text then mentions the timeout.
    public func noteTimeout() async {
        await host.noteTimeout()
    }

    /// Opens a log of the step; it is closed when the step ends.
    ///
    /// - Parameters:
    ///   - log: The name; a second log with the same name gets its own slug.
    ///   - kind: The format of the content.
    /// - Returns: The open log.
    /// - Throws: An error whose description can be shown to the user if the file can't be created.
    public func openLog(_ log: String, kind: LogKind = .stream) async throws -> any StepLog {
        try await host.openLog(log, kind: kind)
    }

    /// The working tree on the master's machine whose files a source step takes instead of fetching
    /// its repository; `nil` for none.
    public var workingTree: WorkingTree? { host.workingTree }

    /// Runs a command on the worker, in the step's working folder, or on the master.
    ///
    /// Relative paths in the command are resolved against ``workdir``, or against ``masterFolder``
    /// on the master.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - machine: Where to run it.
    ///   - input: The bytes for `downloadFile`.
    ///   - updates: Called for each update, in order; the command waits for it.
    /// - Returns: How the command ended.
    /// - Throws: ``CommandError`` if the command could not be run, or any error thrown by `input`
    ///   or `updates`.
    public func run(
        _ command: Command, on machine: CommandMachine = .worker, input: CommandInput = .nothing,
        updates: (CommandUpdate) async throws -> Void = { _ in }
    ) async throws -> CommandResult {
        try await host.run(command, on: machine, input: input, updates: updates)
    }

    /// The folder in which the step's commands run, an absolute path on the worker.
    public var workdir: String { host.workdir }

    /// The folder of the master's configuration, against which paths on the master are resolved.
    public var masterFolder: String { host.masterFolder }

    /// The path of the master's configuration, absolute; `nil` if there is none, as in a test.
    public var masterFile: String? { host.masterFile }

    /// The environment variables that the builder sets for its commands.
    public var environment: [String: String?] { host.environment }

    /// Suspends for a duration, or until the step is stopped.
    ///
    /// - Throws: `CancellationError` if the step is stopped.
    public func sleep(for duration: Duration) async throws {
        try await host.clock.sleep(for: duration)
    }

    /// Sends an HTTP request using the build's session.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let mask = mask
        return try await host.http.send(request, in: host.session, hiding: { mask.apply(to: $0) })
    }

    /// Returns the user and password for a URL from the file named by `NETRC`, or from `~/.netrc`.
    ///
    /// - Throws: `HTTPError` with code `noCredentials` if there are none.
    public func netrcCredentials(
        for address: HTTPAddress
    ) async throws(HTTPError) -> (user: String, password: String) {
        let mask = mask
        return try await host.http.netrcCredentials(for: address, hiding: { mask.apply(to: $0) })
    }

    /// Sends an HTTP request and streams the response body to a closure instead of storing it.
    public func send(
        _ request: HTTPRequest, receiving: ([UInt8]) async throws -> Void
    ) async throws -> HTTPResponse {
        let mask = mask
        return try await host.http.send(
            request, in: host.session, hiding: { mask.apply(to: $0) }, receiving: receiving)
    }
}

/// A machine on which a step can run commands.
public enum CommandMachine: Sendable, Hashable {
    /// The worker of the build.
    case worker
    /// The machine of the master.
    case master
}

/// The backend of a ``StepContext``: the runtime, or a test double.
package protocol StepHost: Sendable {
    /// The current context for rendering values.
    var renderContext: RenderContext { get }
    /// The step's working folder, absolute.
    var workdir: String { get }
    /// The environment variables that the builder sets, in addition to the master's own.
    var environment: [String: String?] { get }
    /// The folder of the master's configuration, absolute.
    var masterFolder: String { get }
    /// The master's configuration, absolute; `nil` if there is none, as in a test.
    var masterFile: String? { get }
    /// The clock for waits.
    var clock: any Clock<Duration> { get }
    /// The client of the process.
    var http: HTTPClient { get }
    /// The session of the build.
    var session: HTTPSession { get }

    /// Sets a property, unless it would be too large.
    func setProperty(
        _ property: String, to value: JSONValue, source: String) async throws(JSONTooLarge)
    /// Sets the step's state text.
    func setSummary(_ text: String) async
    /// Records that a time limit ended the step.
    func noteTimeout() async
    /// Opens a log.
    func openLog(_ log: String, kind: LogKind) async throws -> any StepLog
    /// Runs a command on the worker or the master.
    func run(
        _ command: Command, on machine: CommandMachine, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult

    /// The working tree that source steps take.
    var workingTree: WorkingTree? { get }
    /// The programs of the build that keep running after their steps.
    var programs: BackgroundPrograms { get }
    /// Whether the worker is on the master's machine.
    var isWorkerLocal: Bool { get }
    /// The worker, if it knows at which ports its programs listen.
    var listeners: (any ListenerLookup)? { get }
    /// Runs a program on the worker that may outlive the step.
    func runProgram(
        _ shell: Command.Shell, updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult
    /// Prepares the logs of such a program.
    func makeProgramLogs() -> any ProgramLogs
    /// Submits builds that the step does not wait for.
    func trigger(_ request: BuildsetRequest) async throws -> Submission
    /// Submits builds and waits for their ends.
    func build(_ request: BuildsetRequest) async throws -> [TriggeredBuild]
    /// Attaches a link to the step.
    func addURL(_ name: String, _ url: String) async
}

extension StepContext {
    /// Masks a secret that no provider knows in everything that is displayed or stored from now on:
    /// logs, state texts, properties, reports.
    ///
    /// - Parameters:
    ///   - value: The secret.
    ///   - name: The name shown in its place, in angle brackets.
    /// - Throws: ``UnmaskableSecret`` if the value is blank, too short or too long to be masked.
    public func hide(_ value: String, as name: String) throws(UnmaskableSecret) {
        try mask.hide(value, as: name)
    }
}

/// A checkout with its uncommitted changes, from which builds take their sources.
public struct WorkingTree: Sendable, Hashable {
    /// Its uppermost folder, absolute.
    public let path: String
    /// The URLs of its remotes.
    public let remotes: [String]

    /// Creates a working tree.
    public init(path: String, remotes: [String]) {
        self.path = path
        self.remotes = remotes
    }
}

/// An open log of a step. Secrets are masked before anything is written.
public protocol StepLog: Sendable {
    /// Appends output, in chunks of any size; suspends while too much is unwritten.
    func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws

    /// Writes bytes held back as the possible start of a secret. Call it where the output of a
    /// channel ends or starts over.
    func flush(_ channel: LogChannel) async throws
}

/// The format of a log's content.
public enum LogKind: String, Sendable, Hashable, Codable {
    /// Lines, each marked as standard output `o`, standard error `e` or header `h`.
    case stream = "s"
    /// Plain text.
    case text = "t"
    /// HTML.
    case html = "h"
}

/// The three kinds of lines in a log.
public enum LogChannel: UInt8, Sendable, Hashable, CaseIterable {
    /// Standard output, marked `o`.
    case stdout = 0x6F
    /// Standard error, marked `e`.
    case stderr = 0x65
    /// Messages from the master about the step, marked `h`.
    case header = 0x68

    /// The channels for a program's output.
    package static let output: [LogChannel] = [.stdout, .stderr]
}

extension StringProtocol {
    /// The lines of a log's content, without their line feeds.
    ///
    /// A carriage return before one is a part of the line; for Swift, both are one character.
    package var logLines: [SubSequence] {
        utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            self[$0.startIndex..<$0.endIndex]
        }
    }

    /// Whether this line of a stream is one of the master's own.
    package var isHeaderLine: Bool { utf8.first == LogChannel.header.rawValue }

    /// This line of a stream without the letter of its channel.
    package var withoutChannel: SubSequence { self[utf8.dropFirst().startIndex...] }
}

extension StepLog {
    /// Appends text, adding a line ending if it has none, before anything written later to another
    /// channel.
    public func line(_ text: String, to channel: LogChannel = .stdout) async throws {
        var bytes = Array(text.utf8)
        if bytes.last != 0x0A { bytes.append(0x0A) }
        try await line(bytes, to: channel)
    }

    /// Appends bytes, adding a line ending if they have none, before anything written later to
    /// another channel.
    public func line(_ bytes: [UInt8], to channel: LogChannel = .stdout) async throws {
        try await write(bytes[...], to: channel)
        if bytes.last != 0x0A { try await write([0x0A], to: channel) }
        try await flush(channel)
    }
}

/// The encoding of a command's output.
public enum LogEncoding: String, SettingEnumeration {
    case utf8 = "utf-8"
    case latin1 = "iso-8859-1"
    case ascii
}

/// A string, or a list of words that are joined with spaces.
public struct Words: SettingValue {
    /// The joined words.
    public let text: String

    /// Creates words from a string.
    public init(_ text: String) {
        self.text = text
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a text or a list of words" }

    /// The form of the accepted values.
    public static var form: ValueForm { .either([.text, .list(of: .text)]) }

    /// Reads a string or a list of words.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Words? {
        guard case .sequence = node.kind else {
            return decoder.decode(String.self, from: node).map { Words($0) }
        }
        return decoder.decode([String].self, from: node).map {
            Words($0.joined(separator: " "))
        }
    }
}
