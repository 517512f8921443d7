import Synchronization

extension StepContext {
    /// Runs a body in which one more secret is masked in everything the step says: logs, state and
    /// properties.
    ///
    /// - Parameters:
    ///   - value: The secret, which no provider knows.
    ///   - name: What is shown in its place, in angle brackets.
    ///   - body: Gets a context to use in place of this one.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, or writing the end of a log.
    public func masking<Value>(
        _ value: String, named name: String,
        _ body: (StepContext) async throws -> Value
    ) async throws -> Value {
        let masked = MaskingHost(host, SecretMask([(name: name, value: value)]))
        let context = StepContext(name: self.name, number: number, logger: logger, host: masked)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(context))
        } catch {
            outcome = .failure(error)
        }
        try await masked.finish()
        return try outcome.get()
    }
}

/// Masks one more secret on the way to another host.
private final class MaskingHost: StepHost {
    private let host: any StepHost
    private let mask: SecretMask
    private let logs = Mutex<[MaskingLog]>([])

    init(_ host: any StepHost, _ mask: SecretMask) {
        self.host = host
        self.mask = mask
    }

    var renderContext: RenderContext { host.renderContext }
    var workdir: String { host.workdir }
    var environment: [String: String?] { host.environment }
    var clock: any Clock<Duration> { host.clock }
    var http: HTTPClient { host.http }
    var session: HTTPSession { host.session }

    func setProperty(_ property: String, to value: JSONValue, source: String) async {
        await host.setProperty(property, to: mask.apply(to: value), source: source)
    }

    func setSummary(_ text: String) async {
        await host.setSummary(mask.apply(to: text))
    }

    func noteTimeout() async {
        await host.noteTimeout()
    }

    func openLog(_ log: String, kind: Log.Kind) async throws -> any StepLog {
        let masked = MaskingLog(try await host.openLog(log, kind: kind), mask)
        logs.withLock { $0.append(masked) }
        return masked
    }

    func run(
        _ command: Command, updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try await host.run(command, updates: updates)
    }

    /// Writes what the logs held back.
    func finish() async throws {
        for log in logs.withLock({ $0 }) { try await log.finish() }
    }
}

/// Masks a log, also where a secret is divided between two pieces of output.
private final class MaskingLog: StepLog {
    private let log: any StepLog
    private let mask: SecretMask
    private let streams = Mutex<[LogChannel: SecretMask.Stream]>([:])

    init(_ log: any StepLog, _ mask: SecretMask) {
        self.log = log
        self.mask = mask
    }

    func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws {
        let shown = streams.withLock { $0[channel, default: mask.stream()].process(bytes) }
        if !shown.isEmpty { try await log.write(shown[...], to: channel) }
    }

    func flush(_ channel: LogChannel) async throws {
        try await writeHeld(channel)
        try await log.flush(channel)
    }

    func finish() async throws {
        for channel in LogChannel.allCases { try await writeHeld(channel) }
    }

    private func writeHeld(_ channel: LogChannel) async throws {
        let held = streams.withLock { $0[channel]?.finish() } ?? []
        if !held.isEmpty { try await log.write(held[...], to: channel) }
    }
}
