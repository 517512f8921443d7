internal import ArgumentParser
internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// Carries out the requests of `status`, `reconfig`, `stop`, `force` and `worker` in a master that stays up.
struct ServedCommands: Sendable {
    let master: Master
    let standing: StandingMaster

    func handle(_ request: ControlRequest, _ connection: ControlConnection) async {
        do {
            switch request.command {
            case "status": await connection.send(try await status())
            case "reconfig": await connection.send(await reconfig())
            case "stop": await stop(isHurried: request.arguments["now"] == .bool(true), connection)
            case "force": try await force(request.arguments, connection)
            case "worker": await connection.send(try await worker(request.arguments))
            default:
                throw ControlError(
                    "this master does not know the command '\(request.command)'; use the same "
                        + "version of the program for both")
            }
        } catch let error as ControlError {
            await connection.send(error.answer)
        } catch let error as ValidationError {
            await connection.send(ControlError(error.message, isUsage: true).answer)
        } catch {
            await connection.send(ControlError("\(error)", isUsage: error is UsageError).answer)
        }
    }

    private func status() async throws -> JSONObject {
        let now = Date()
        var status = try await master.status()
        status["started_at"] = .time(standing.started)
        status["uptime_s"] = .int(Int(now.timeIntervalSince(standing.started)))
        status["stopping"] = .bool(standing.isStopping)
        status["web"] = .optional(standing.webAddress)
        return status
    }

    private func reconfig() async -> JSONObject {
        switch await standing.reload(master, because: "reconfig").value {
        case .done(let changes, let warnings):
            ["lines": Self.texts(changes.lines), "diagnostics": Self.texts(warnings)]
        case .wrong(let lines): ["diagnostics": Self.texts(lines), "wrong": true]
        case .failed(let message):
            ControlError("the previous configuration stays in force: \(message)").answer
        }
    }

    private static func texts(_ lines: [String]) -> JSONValue { .array(lines.map { .string($0) }) }

    /// Stops the master; the connection stays open until the process has ended.
    private func stop(isHurried: Bool, _ connection: ControlConnection) async {
        standing.stop(master, "'stop'", isHurried: isHurried)
        await connection.send(["stopping": true])
        // Until the client hangs up, or the process ends.
        await Signal().wait()
    }

    /// Lists the workers, or changes one.
    private func worker(_ wanted: JSONObject) async throws -> JSONObject {
        let name = wanted["name"]?.stringValue ?? ""
        switch wanted["action"]?.stringValue {
        case "pause": try await master.setPaused(true, worker: name)
        case "resume": try await master.setPaused(false, worker: name)
        case "shutdown": try master.shutDown(worker: name)
        default: break
        }
        return ["workers": .array(master.workers.map { .object($0.json) })]
    }

    // MARK: Forcing

    private func force(_ wanted: JSONObject, _ connection: ControlConnection) async throws {
        guard !standing.isStopping else {
            throw ControlError("the master is stopping, so it builds nothing more")
        }
        let file = master.current
        let name = wanted["builder"]?.stringValue ?? ""
        guard let builder = file.builders[name] else {
            throw BuilderSelection.unknown(name, among: file.builders.map(\.name))
        }
        let arguments = try (wanted["properties"]?.arrayValue ?? []).compactMap(\.stringValue)
            .map { try PropertyArgument($0) }
        let scheduler = try Self.scheduler(forcing: name, in: file)
        var warnings: [String] = []
        var properties = Properties()
        properties.set("scheduler", "force", source: "Scheduler")
        if let owner = wanted["owner"] { properties.set("owner", owner, source: Self.source) }
        if let scheduler {
            for (name, value) in try Self.values(of: arguments, for: scheduler) {
                properties.set(name, value, source: Self.source)
            }
        } else {
            let overrides = try PropertyOverrides(arguments, for: [builder], in: file)
            warnings = overrides.warnings
            for (name, value) in overrides.values {
                properties.set(name, value, source: Self.source)
            }
        }
        let stamp = SourceStamp(
            branch: wanted["branch"]?.stringValue, revision: wanted["revision"]?.stringValue)
        var request = BuildsetRequest(
            reason: "forced", sourceStamps: [stamp], properties: properties)
        if let scheduler { request = scheduler.completing(request) }
        request.builders = [name]
        request.reason = wanted["reason"]?.stringValue ?? request.reason
        let isAwaited = wanted["wait"] == .bool(true)
        let submission =
            isAwaited
            ? try await master.submit(request) : try await master.submitUnattended(request)
        await connection.send([
            "builder": .string(name), "buildrequestid": .optional(submission.requestIDs.first),
            "warnings": Self.texts(warnings),
        ])
        guard isAwaited else { return }
        let builds = try await master.wait(for: submission)
        await connection.send(["builds": .array(builds.map(Self.record))])
    }

    private static let source = "force"

    /// The scheduler with whose parameters a builder is forced; `nil` if the file has no such
    /// schedulers, so that every builder can be forced.
    private static func scheduler(
        forcing builder: String, in file: MasterConfiguration
    ) throws(ControlError) -> SchedulerDeclaration? {
        let forcing = file.schedulers.filter { $0.plugin is any ForcedScheduler }
        guard !forcing.isEmpty else { return nil }
        let found = forcing.first { $0.options.builderNames.map(\.name).contains(builder) }
        if let found { return found }
        throw ControlError(
            "no scheduler lets '\(builder)' be forced; add it to 'builderNames' of '"
                + forcing.map(\.name).joined(separator: "' or '") + "'", isUsage: true)
    }

    /// The values of a scheduler's parameters.
    private static func values(
        of arguments: [PropertyArgument], for scheduler: SchedulerDeclaration
    ) throws(ControlError) -> [(String, JSONValue)] {
        let parameters = (scheduler.plugin as? any ForcedScheduler)?.parameters ?? []
        func fault(_ name: String, _ text: String) -> ControlError {
            ControlError("-p \(name): \(text)", isUsage: true)
        }
        for argument in arguments where !parameters.contains(where: { $0.name == argument.name }) {
            let names = parameters.map(\.name)
            let remedy =
                names.isEmpty ? "omit it" : Suggestion.remedy(for: argument.name, among: names)
            throw fault(
                argument.name,
                "the scheduler '\(scheduler.name)' has no parameter '\(argument.name)'; \(remedy)")
        }
        var values: [(String, JSONValue)] = []
        for parameter in parameters {
            let given = arguments.last { $0.name == parameter.name }
            if given != nil, parameter.kind == .fixed {
                throw fault(parameter.name, "'\(parameter.name)' is fixed; omit it")
            }
            if given == nil, parameter.isRequired, parameter.kind != .fixed {
                throw fault(
                    "\(parameter.name)=…",
                    "the scheduler '\(scheduler.name)' needs a value for '\(parameter.name)'")
            }
            let value = given.map { $0.isTyped ? $0.value : parameter.value(of: $0.value) }
            guard let value = value ?? parameter.fallback else { continue }
            if let text = parameter.fault(of: value) {
                throw fault(parameter.name, "'\(parameter.name)' \(text)")
            }
            values.append((parameter.name, value))
        }
        return values
    }

    private static func record(_ finished: FinishedBuild) -> JSONValue {
        .object([
            "builder": .string(finished.builder), "number": .int(finished.build.number),
            "results": .optional(finished.build.results?.rawValue),
            "state_string": .string(finished.build.stateString),
            "retried": .bool(finished.isRetried),
        ])
    }
}
