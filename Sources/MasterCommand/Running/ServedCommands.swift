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
            case "stop": await stop(request.arguments, connection)
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
        var status = try await master.status()
        status["started_at"] = .time(standing.started)
        status["uptime_s"] = .int(Int((ContinuousClock.now - standing.startedAt) / .seconds(1)))
        status["stopping"] = .bool(standing.isStopping)
        status["web"] = .optional(standing.webAddress)
        status["buildbot_url"] = .string(master.current.identity.buildbotURL)
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
    private func stop(_ wanted: JSONObject, _ connection: ControlConnection) async {
        standing.stop(
            master, "'stop'", isHurried: wanted["now"] == .bool(true),
            isPatient: wanted["clean"] == .bool(true))
        await connection.send(["stopping": true])
        // Until the client hangs up, or the process ends.
        await Signal().wait()
    }

    /// Lists the workers, or changes one.
    private func worker(_ wanted: JSONObject) async throws -> JSONObject {
        let name = wanted["name"]?.stringValue ?? ""
        switch wanted["action"]?.stringValue {
        case "pause": try await master.pause(worker: name, reason: "by 'worker pause'")
        case "resume": try await master.resume(worker: name)
        case "shutdown": try await master.shutDown(worker: name)
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
        var warnings: [String] = []
        var request: BuildsetRequest
        if let form = try await form(forcing: name, in: file) {
            request = try Self.request(wanted, arguments, of: name, with: form)
        } else {
            var properties = Properties()
            properties.set("scheduler", "force", source: "Scheduler")
            if let owner = wanted["owner"] { properties.set("owner", owner, source: Self.source) }
            let overrides = try PropertyOverrides(arguments, for: [builder], in: file)
            warnings = overrides.warnings
            for (name, value) in overrides.values {
                properties.set(name, value, source: Self.source)
            }
            let stamp = SourceStamp(
                branch: wanted["branch"]?.stringValue, revision: wanted["revision"]?.stringValue)
            request = BuildsetRequest(
                builders: [name], reason: wanted["reason"]?.stringValue ?? "forced",
                sourceStamps: [stamp], properties: properties)
            request.priority = wanted["priority"]?.intValue ?? request.priority
        }
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

    /// The form with which a builder is forced; `nil` if the file has no such schedulers, so that
    /// every builder can be forced.
    private func form(
        forcing builder: String, in file: MasterConfiguration
    ) async throws -> ForceForm? {
        let forms = file.schedulers.compactMap { file.form(of: $0) }
        guard !forms.isEmpty else { return nil }
        let found = forms.filter { $0.builders.contains(builder) }
        for form in found {
            if try await !master.isDisabled(scheduler: form.name) { return form }
        }
        guard let disabled = found.first else {
            throw ControlError(
                "no scheduler lets '\(builder)' be forced; add it to 'builderNames' of '"
                    + forms.map(\.name).joined(separator: "' or '") + "'", isUsage: true)
        }
        throw ControlError(
            "the scheduler '\(disabled.name)' is disabled; enable it on the web page")
    }

    /// Fills a form in with the options of the command.
    private static func request(
        _ wanted: JSONObject, _ arguments: [PropertyArgument], of builder: String,
        with form: ForceForm
    ) throws(ControlError) -> BuildsetRequest {
        let fields = form.parameters.flatMap(\.leaves) + form.codebases.flatMap(\.leaves)
        var values = JSONObject()
        func set(_ key: String, _ value: JSONValue, by option: String) throws(ControlError) {
            let all = fields + form.general.leaves
            if all.contains(where: { $0.key == key && $0.parameter.kind == .fixed }) {
                throw ControlError("\(option): '\(key)' is fixed; omit it", isUsage: true)
            }
            values[key] = value
        }
        for argument in arguments {
            let (name, names) = (argument.name, fields.map(\.key))
            guard names.contains(name) else {
                let remedy = names.isEmpty ? "omit it" : Suggestion.remedy(for: name, among: names)
                throw ControlError(
                    "-p \(name): the scheduler '\(form.name)' has no parameter '\(name)'; \(remedy)",
                    isUsage: true)
            }
            try set(name, argument.value, by: "-p \(name)")
        }
        for name in ["reason", "priority"] {
            if let value = wanted[name] { try set(name, value, by: "--\(name)") }
        }
        for name in ["branch", "revision"] {
            guard let value = wanted[name] else { continue }
            let keys = form.codebases.flatMap(\.leaves).map(\.key).filter {
                $0 == name || $0.hasSuffix("_\(name)")
            }
            guard keys.count <= 1 else {
                throw ControlError(
                    "--\(name): there are several codebases; use -p \(keys[0])=… in its place",
                    isUsage: true)
            }
            try set(keys.first ?? name, value, by: "--\(name)")
        }
        do {
            let owner = wanted["owner"] ?? wanted["user"]
            return try form.request(values, of: [builder], by: owner?.stringValue)
        } catch {
            let faults = error.texts.map { "'\($0.key)' \($0.value.stringValue ?? "")" }
            throw ControlError(
                "the scheduler '\(form.name)': \(faults.joined(separator: "; "))", isUsage: true)
        }
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
