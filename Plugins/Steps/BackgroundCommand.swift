public import MasterKit
import Synchronization

/// Starts a program that keeps running while later steps run.
public struct BackgroundCommand: ProgramStep {
    /// What the step does.
    public static let summary = "Starts a program that keeps running while later steps run."

    @Setting("What to run: a program with its arguments, or a line for the shell.", .primary)
    var command: Renderable<CommandLineSetting>

    @Setting(
        "The program's name for steps.StopBackgroundCommand, if not that of the step.", .notEmpty)
    var id: Renderable<String>?

    @Setting("What it waits for: {port | url | log, timeout}; by default only for the start.")
    var ready: Renderable<Readiness?>

    @SettingGroup var process = ProcessSettings.inBackground

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { process.products() }

    /// Reports settings that have no effect together.
    public func check(_ settings: SettingsCheck) {
        process.check(command, settings)
    }

    /// The program that the step starts.
    public var programUse: ProgramUse { .start(id) }

    /// Starts the program and waits until it is ready.
    public func run(in context: StepContext) async throws -> Results {
        let line = try context.render(command)
        let words = line.words(hiding: context.mask)
        let ready = try context.render(ready)
        let codes = try context.render(process.decodeRC)
        let shell = try process.command(line.invocation, in: context)
        await context.setSummary(words)
        if let obstacle = try await ready?.obstacle(in: context) {
            await context.setSummary(obstacle.reason)
            try await context.openLog("stdio").line(obstacle.message, to: .stderr)
            return .failure
        }
        let wait = ReadinessWait(ready)
        let program = try await context.start(
            shell, named: try context.render(id) ?? context.name,
            judging: { end in
                end.timedOut == nil ? end.exitCode.map { codes[$0] } ?? .failure : .failure
            }, observing: { wait.note($0) })
        let fault: String?
        do {
            fault = try await wait.fault(of: program, in: context)
        } catch {
            await context.discard(program, "stopped before it was ready")
            throw error
        }
        guard let fault else {
            await context.setSummary("\(words): \(ready?.words(in: context) ?? "started")")
            return .success
        }
        await context.discard(program, "stopped: \(fault)")
        await context.setSummary("\(words): \(fault)")
        return .failure
    }
}

/// Ends a program that an earlier step started.
public struct StopBackgroundCommand: ProgramStep {
    /// What the step does.
    public static let summary = "Ends a program that a steps.BackgroundCommand has started."

    @Setting(
        "The program: the id or the name of the step that started it.", .primary, .notEmpty,
        .example("BackgroundCommand"))
    var id: Renderable<String>

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// The program that the step ends.
    public var programUse: ProgramUse { .stop(id) }

    /// Ends the program; one that had ended by itself is judged by its exit code.
    public func run(in context: StepContext) async throws -> Results {
        let name = try context.render(id)
        guard let program = context.program(named: name) else {
            await context.setSummary("\(name) was not started")
            return .skipped
        }
        await context.setSummary("stopping \(name)")
        switch await program.stop("stopped by the step '\(context.name)'") {
        case .ended(let end):
            await context.setSummary("\(name) had ended by itself: \(end.shortWords)")
            return program.results(for: end)
        case .failed(let error): throw error
        case .stopped, .starting, .running:
            await context.setSummary("stopped \(name)")
            return .success
        }
    }
}

extension ProcessSettings {
    /// The defaults for a program that may be silent as long as it likes.
    fileprivate static var inBackground: ProcessSettings {
        var settings = ProcessSettings()
        settings.timeout = Renderable(nil)
        return settings
    }
}

/// The setting `ready`: how a step knows that its program is ready.
struct Readiness: SettingValue {
    enum Sign {
        /// The program accepts connections at this port of the machine.
        case port(LoopbackPort)
        /// The URL answers with a status below 400.
        case url(HTTPAddress)
        /// A line of the output fits the pattern.
        case log(Pattern)
    }

    let sign: Sign
    let timeout: Duration

    static var shape: String { "{port | url | log, timeout}" }

    static var form: ValueForm { .settings(Form.self) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Readiness? {
        guard node.mapping != nil else { return decoder.mismatch(node, expected: shape) }
        let form = decoder.read(Form.self, from: node, owner: decoder.subject, at: node.range)
        guard let form else { return nil }
        let signs: [Sign?] = [
            form.port.map { .port($0.port) }, form.url.map { .url($0) },
            form.log.map { .log($0) },
        ]
        let given = signs.compactMap(\.self)
        guard let sign = given.first, given.count == 1 else {
            return decoder.error(
                "\(decoder.subject) needs "
                    + (given.isEmpty
                        ? "one of 'port', 'url' and 'log'"
                        : "only one of 'port', 'url' and 'log'"),
                at: node.range)
        }
        return Readiness(sign: sign, timeout: form.timeout.duration)
    }

    private struct Form: Settings {
        @Setting("The port of the program on this machine.") var port: PortNumber?
        @Setting("A URL that answers with a status below 400.") var url: HTTPAddress?
        @Setting("A line of the output, as a regular expression.") var log: Pattern?
        @Setting("How long to wait.") var timeout = TimeLimit(duration: .seconds(30))
    }

    /// Why it could not be seen that the program is ready, known before it is started.
    func obstacle(in context: StepContext) async throws -> (reason: String, message: String)? {
        if case .log = sign { return nil }
        let port = port
        guard context.isWorkerLocal else {
            let reason = "'ready' can't be a port or a URL on this worker"
            return (reason, "\(reason), which is another machine; use 'log'")
        }
        if let port, port.isOpen {
            let reason = "port \(port.number) is already in use"
            return (reason, "\(reason); end the program that listens there, or choose another port")
        }
        if port == nil, try await isMet(in: context) {
            let reason = "\(words(in: context).dropFirst("ready at ".count)) already answers"
            return (reason, "\(reason) before the program is started; choose another URL")
        }
        return nil
    }

    /// The port at which the program itself must listen.
    var port: LoopbackPort? {
        switch sign {
        case .port(let port): port
        case .url(let address): address.loopbackPort
        case .log: nil
        }
    }

    /// Whether the port or URL answers.
    func isMet(in context: StepContext) async throws -> Bool {
        switch sign {
        case .port(let port): return port.isOpen
        case .log: return false
        case .url(let address):
            var request = HTTPRequest(.get, address)
            request.timeout = HTTPTimeout(
                connect: .seconds(1), silence: .seconds(2), total: .seconds(3))
            request.proxies = address.loopbackPort == nil ? nil : HTTPProxies.none
            request.cutsLongBody = true
            request.responseLimit = 64 << 10
            do throws(HTTPError) {
                return try await context.send(request).status < 400
            } catch {
                return false  // Not ready; the step says so when the time is up.
            }
        }
    }

    /// How the program is ready, as a state text.
    func words(in context: StepContext) -> String {
        switch sign {
        case .port(let port): "ready on port \(port.number)"
        case .url(let address):
            "ready at \(context.mask.apply(to: HTTPAddress.withoutUser(address.text)))"
        case .log: "ready"
        }
    }
}

/// A TCP port.
private struct PortNumber: SettingValue {
    let port: LoopbackPort

    static var shape: String { "a port from 1 to 65535" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PortNumber? {
        // Properties set by commands are texts.
        guard let number = node.scalar.flatMap({ Int($0.value) }), (1...65535).contains(number)
        else { return decoder.mismatch(node, expected: shape) }
        return PortNumber(port: LoopbackPort(number))
    }
}

/// Waits until a program is ready, has ended, or the time is up.
private final class ReadinessWait: Sendable {
    private struct State {
        var hasLine = false
        /// Whether another program listens at the port.
        var isTaken = false
        var fault: RenderError?
    }

    /// The time between two checks, at first and in the end.
    private static let intervals: (first: Duration, last: Duration) = (
        .milliseconds(5), .milliseconds(100)
    )

    private let readiness: Readiness?
    private let state = Mutex(State())

    init(_ readiness: Readiness?) {
        self.readiness = readiness
    }

    /// Checks a line of output.
    func note(_ line: OutputLine) {
        guard case .log(let pattern)? = readiness?.sign, !state.withLock({ $0.hasLine })
        else { return }
        do {
            guard try pattern.isFound(in: line.text) else { return }
            state.withLock { $0.hasLine = true }
        } catch {
            state.withLock { $0.fault = error }
        }
    }

    /// Waits.
    ///
    /// - Returns: Why the program is not ready, or `nil` if it is.
    func fault(of program: BackgroundProgram, in context: StepContext) async throws -> String? {
        let begin = ContinuousClock.now
        var interval = Self.intervals.first
        while true {
            let isReady = try await isReady(program, in: context)
            // Checked after the port, which another program may have taken.
            switch program.status {
            case .ended(let end): return "\(end.words) before it was ready"
            case .failed(let error) where error.isAboutTheCommand: return error.commandWords
            case .failed(let error): throw error
            case .stopped: throw CancellationError()
            case .starting, .running: break
            }
            if isReady { return nil }
            if let timeout = readiness?.timeout, .now - begin >= timeout {
                let reason = "not ready after \(timeout.inSeconds)"
                guard let port = readiness?.port, state.withLock({ $0.isTaken }) else {
                    return reason
                }
                return "\(reason): another program listens at port \(port.number)"
            }
            try await context.sleep(for: interval)
            interval = min(interval * 2, Self.intervals.last)
        }
    }

    private func isReady(
        _ program: BackgroundProgram, in context: StepContext
    ) async throws -> Bool {
        guard case .running = program.status else { return false }
        guard let readiness else { return true }
        if let fault = state.withLock({ $0.fault }) { throw fault }
        if case .log = readiness.sign { return state.withLock { $0.hasLine } }
        guard try await readiness.isMet(in: context) else { return false }
        guard let port = readiness.port else { return true }
        let isTaken = await context.isListening(program, at: port) == false
        state.withLock { $0.isTaken = isTaken }
        return !isTaken
    }
}

extension CommandResult {
    /// How the program ended, as a verb: `exited with 1`, `killed by signal 9 (SIGKILL)`.
    fileprivate var words: String {
        timedOut == nil ? exitCode.map { "exited with \($0)" } ?? description : description
    }
}
