/// What a running step can use: its build, the worker, logs, and HTTP.
public struct StepContext: Sendable {
    /// The step's name in this build.
    public let name: String
    /// The step's position in the build, from 1.
    public let number: Int
    /// The logger of the step; messages carry the build and the step, and are masked.
    public let logger: Logger
    let host: any StepHost

    /// Makes a context on top of what carries out its requests.
    package init(name: String, number: Int, logger: Logger, host: any StepHost) {
        self.name = name
        self.number = number
        self.logger = logger
        self.host = host
    }

    /// Computes the value of a setting as things stand now.
    public func render<Value>(_ setting: Renderable<Value>) throws(RenderError) -> Value {
        try setting.render(in: host.renderContext)
    }

    /// Computes the value of a setting that may have been left out.
    public func render<Value>(_ setting: Renderable<Value>?) throws(RenderError) -> Value? {
        guard let setting else { return nil }
        return try setting.render(in: host.renderContext)
    }

    /// Replaces secrets in everything that is shown or stored.
    ///
    /// Mask a text before you cut it: a part of a secret is not recognised.
    public var mask: SecretMask { host.renderContext.secrets.mask }

    /// The build's properties as they stand now.
    public var properties: Properties { host.renderContext.properties }

    /// The sources of the build, one for each codebase that is known.
    public var sourceStamps: [SourceStamp] { host.renderContext.sourceStamps }

    /// Sets a property of the build; its source is the step's name.
    ///
    /// - Throws: ``JSONTooLarge`` when the value, or all properties of the build together, would be too
    ///   large.
    public func setProperty(_ property: String, to value: JSONValue) async throws(JSONTooLarge) {
        try await host.setProperty(property, to: value, source: name)
    }

    /// Sets the state text: what the step does or how it went, in a few words.
    public func setSummary(_ text: String) async {
        await host.setSummary(text)
    }

    /// Records that a time limit ended the step; its state text says so.
    public func noteTimeout() async {
        await host.noteTimeout()
    }

    /// Opens a log of the step; it is closed with the step.
    ///
    /// - Parameters:
    ///   - log: The name; the second log of a name gets a slug of its own.
    ///   - kind: How the content is to be read.
    /// - Returns: The open log.
    /// - Throws: An error with a sentence for people when the file can't be made.
    public func openLog(_ log: String, kind: LogKind = .stream) async throws -> any StepLog {
        try await host.openLog(log, kind: kind)
    }

    /// Runs a command on the worker, in the step's working folder, or on the master.
    ///
    /// Relative paths of the command are taken from ``workdir``, on the master from
    /// ``masterFolder``.
    ///
    /// - Parameters:
    ///   - command: What to run.
    ///   - machine: Where to run it.
    ///   - input: The bytes that `downloadFile` writes.
    ///   - updates: Called for each piece of output, in order; the command waits for it.
    /// - Returns: How the command ended.
    /// - Throws: ``CommandError`` when it could not be run; what `input` and `updates` throw.
    public func run(
        _ command: Command, on machine: CommandMachine = .worker, input: CommandInput = .nothing,
        updates: (CommandUpdate) async throws -> Void = { _ in }
    ) async throws -> CommandResult {
        try await host.run(command, on: machine, input: input, updates: updates)
    }

    /// The folder in which the step's commands run, an absolute path on the worker.
    public var workdir: String { host.workdir }

    /// The folder of the master's configuration, from which paths on the master are taken.
    public var masterFolder: String { host.masterFolder }

    /// The environment that the builder gives to its commands.
    public var environment: [String: String?] { host.environment }

    /// Waits; a step that is stopped does not wait any longer.
    ///
    /// - Throws: `CancellationError` when the step is stopped.
    public func sleep(for duration: Duration) async throws {
        try await host.clock.sleep(for: duration)
    }

    /// Sends an HTTP request in the session of the build.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        let mask = mask
        return try await host.http.send(request, in: host.session, hiding: { mask.apply(to: $0) })
    }

    /// A user and a password for an address, from the file that `NETRC` names or from `~/.netrc`.
    ///
    /// - Throws: `HTTPError` of code `noCredentials` when there are none.
    public func netrcCredentials(
        for address: HTTPAddress
    ) async throws(HTTPError) -> (user: String, password: String) {
        let mask = mask
        return try await host.http.netrcCredentials(for: address, hiding: { mask.apply(to: $0) })
    }

    /// Sends an HTTP request whose body is handed on as it comes and not kept.
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

/// What carries out the requests of a running step: the runtime, or a stand-in in tests.
package protocol StepHost: Sendable {
    /// The current context for rendering values.
    var renderContext: RenderContext { get }
    /// The folder of the step's commands, absolute.
    var workdir: String { get }
    /// The environment of the step's commands, beside the master's own.
    var environment: [String: String?] { get }
    /// The folder of the master's configuration, absolute.
    var masterFolder: String { get }
    /// The clock for waits.
    var clock: any Clock<Duration> { get }
    /// The client of the process.
    var http: HTTPClient { get }
    /// The session of the build.
    var session: HTTPSession { get }

    /// Sets a property, unless it would be too large.
    func setProperty(
        _ property: String, to value: JSONValue, source: String) async throws(JSONTooLarge)
    /// Changes the step's state.
    func setSummary(_ text: String) async
    /// Notes that a time limit ended the step.
    func noteTimeout() async
    /// Opens a log.
    func openLog(_ log: String, kind: LogKind) async throws -> any StepLog
    /// Runs a command on the worker or the master.
    func run(
        _ command: Command, on machine: CommandMachine, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult
}

extension StepContext {
    /// Hides a secret that no provider knows in everything that is shown or stored from now on: logs,
    /// state, properties, reports.
    ///
    /// - Parameters:
    ///   - value: The secret.
    ///   - name: What is shown in its place, in angle brackets.
    /// - Throws: ``UnmaskableSecret`` when the value is too short or too long to be hidden.
    public func hide(_ value: String, as name: String) throws(UnmaskableSecret) {
        try mask.hide(value, as: name)
    }
}

/// An open log of a step. Secrets are masked before anything is written.
public protocol StepLog: Sendable {
    /// Adds output as it came, in pieces of any size; waits while too much is still unwritten.
    func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws

    /// Writes what is held back because it may be the beginning of a secret; the output of the
    /// channel ends here, or begins anew.
    func flush(_ channel: LogChannel) async throws
}

/// How the content of a log is to be read.
public enum LogKind: String, Sendable, Hashable, Codable {
    /// Lines, each marked as standard output `o`, standard error `e` or header `h`.
    case stream = "s"
    /// Plain text.
    case text = "t"
    /// A page of HTML.
    case html = "h"
}

/// The three kinds of lines in a log.
public enum LogChannel: UInt8, Sendable, Hashable, CaseIterable {
    /// Standard output, marked `o`.
    case stdout = 0x6F
    /// Standard error, marked `e`.
    case stderr = 0x65
    /// What the master says about the step, marked `h`.
    case header = 0x68

    /// The channels of what a program writes.
    package static let output: [LogChannel] = [.stdout, .stderr]
}

extension StepLog {
    /// Adds text, with a line end where it has none, before anything that is written later to
    /// another channel.
    public func line(_ text: String, to channel: LogChannel = .stdout) async throws {
        var bytes = Array(text.utf8)
        if bytes.last != 0x0A { bytes.append(0x0A) }
        try await line(bytes, to: channel)
    }

    /// Adds bytes, with a line end where they have none, before anything that is written later to
    /// another channel.
    public func line(_ bytes: [UInt8], to channel: LogChannel = .stdout) async throws {
        try await write(bytes[...], to: channel)
        if bytes.last != 0x0A { try await write([0x0A], to: channel) }
        try await flush(channel)
    }
}

/// The encoding of what a command prints.
public enum LogEncoding: String, SettingEnumeration {
    case utf8 = "utf-8"
    case latin1 = "iso-8859-1"
    case ascii
}

/// A text, or a list of words that are joined by spaces.
public struct Words: SettingValue {
    /// The joined words.
    public let text: String

    /// Makes words of a text.
    public init(_ text: String) {
        self.text = text
    }

    /// A text or a list of words.
    public static var shape: String { "a text or a list of words" }

    /// Reads a text or a list.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Words? {
        guard case .sequence = node.kind else {
            return decoder.decode(String.self, from: node).map { Words($0) }
        }
        return decoder.decode([String].self, from: node).map {
            Words($0.joined(separator: " "))
        }
    }
}
