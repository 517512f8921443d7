internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import MasterKit
internal import MasterRuntime
internal import Synchronization

/// `status`: shows what the running master is doing.
struct StatusCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "status",
            abstract: "Shows what the running master is doing.",
            discussion: """
                Lists each builder with its running builds and pending requests, each reporter \
                with the reports that wait to be delivered, and each scheduler and change source \
                with what it waits for or what keeps it from its work. If more than \
                \(StatusPage.idleLimit) builders are idle, they are only counted. The exit status \
                is 1 if no master is running.
                """)
    }

    @OptionGroup var place: MasterPlace

    @Flag(help: "Write one JSON object.")
    var json = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        let status = try await place.client.send(ControlRequest("status")) ?? [:]
        if json {
            await context.console.print(JSONWriter.pretty.string(.object(status)).lines)
            return .success
        }
        let console = context.console
        let width = console.output.canRedraw ? console.size.columns : Int.max
        await console.print(StatusPage(console.output).lines(status, width: width))
        return .success
    }
}

/// `reconfig`: makes the running master read its file again.
struct ReconfigCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "reconfig",
            abstract: "Makes the running master read its file again.",
            discussion: """
                Running builds keep the configuration that they began with. If the file has \
                mistakes, they are shown, the exit status is 2, and the previous configuration \
                stays in force.
                """)
    }

    @OptionGroup var place: MasterPlace

    func run(in context: CommandContext) async throws -> ExitStatus {
        let answer = try await place.client.send(ControlRequest("reconfig"), takesLong: true) ?? [:]
        await context.console.complain(answer.texts("diagnostics"))
        await context.console.print(answer.texts("lines"))
        guard answer["wrong"] == .bool(true) else { return .success }
        await context.console.complain(["the previous configuration stays in force"])
        return .configuration
    }
}

/// `stop`: ends the running master.
struct StopCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "stop",
            abstract: "Ends the running master, and waits until it has ended.",
            discussion: """
                No further build begins. Running builds have the time that the master was \
                started with (--grace) to end; otherwise the next master runs them again. \
                Undelivered reports are sent by the next master.
                """)
    }

    @OptionGroup var place: MasterPlace

    @Flag(help: "Stop running builds at once; the next master runs them again.")
    var now = false

    @Flag(help: "Wait for running builds, however long they take.")
    var clean = false

    func validate() throws {
        if now, clean {
            throw ValidationError("--now and --clean contradict each other; keep one")
        }
    }

    /// How long the process may exist after the master has ended.
    private static let patience: Duration = .seconds(60)

    func run(in context: CommandContext) async throws -> ExitStatus {
        let client = place.client
        try await client.send(ControlRequest("stop", ["now": .bool(now), "clean": .bool(clean)]))
        let end = ContinuousClock.now + Self.patience
        while try client.isMasterAlive() {
            guard ContinuousClock.now < end else {
                throw FailedRun("the master of \(place.folder) is still ending; see its log")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        return .success
    }
}

/// `force`: has the running master build a builder.
struct ForceCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "force",
            abstract: "Has the running master build a builder.",
            discussion: """
                Examples:

                  \(RootCommand.programName) force linux
                  \(RootCommand.programName) force linux -p config=release --reason 'try again'
                  \(RootCommand.programName) force linux --branch main --wait

                With --wait the exit status is that of the build, as of 'run'; without, it is 0 as \
                soon as the request is stored.
                """)
    }

    @Argument(help: ArgumentHelp("The builder.", valueName: "builder"))
    var builder: String

    @Option(
        name: [.customShort("p", allowingJoined: true), .customLong("property")],
        help: ArgumentHelp(
            "Sets a property of the build, as 'run' does; NAME:=VALUE takes a YAML value.",
            valueName: "name=value"))
    var properties: [String] = []

    @Option(help: ArgumentHelp("The reason for the build.", valueName: "text"))
    var reason: String?

    @Option(
        help: ArgumentHelp(
            "The owner of the build.", valueName: "name"))
    var owner: String?

    @Option(
        help: ArgumentHelp(
            "The priority of the build; higher ones are built first.", valueName: "number"))
    var priority: Int?

    @Option(help: ArgumentHelp("The branch to build.", valueName: "name"))
    var branch: String?

    @Option(help: ArgumentHelp("The revision to build.", valueName: "id"))
    var revision: String?

    @Flag(help: "Wait for the end of the build.")
    var wait = false

    @OptionGroup var place: MasterPlace

    func validate() throws {
        for property in properties { _ = try PropertyArgument(property) }
    }

    /// Who asks for the build: in containers, users often have no name.
    static func owner(named name: String, id: uid_t) -> String {
        name.isEmpty ? "user \(id)" : name
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        var arguments: JSONObject = [
            "builder": .string(builder), "wait": .bool(wait),
            "user": .string(Self.owner(named: ProcessInfo.processInfo.userName, id: getuid())),
            "properties": .array(properties.map { .string($0) }),
        ]
        for (name, text) in [
            ("reason", reason), ("owner", owner), ("branch", branch), ("revision", revision),
        ] {
            if let text { arguments[name] = .string(text) }
        }
        if let priority { arguments["priority"] = .int(priority) }
        let console = context.console
        let paint = TextPainter(hasColour: console.error.hasColour)
        let last = try await place.client.send(ControlRequest("force", arguments)) { answer in
            guard let id = answer["buildrequestid"]?.intValue else { return }
            console.post(
                answer.texts("warnings").map {
                    paint(.boldYellow, "warning:") + " " + $0.makingControlsVisible()
                })
            console.post(["submitted \(builder.makingControlsVisible()) as request \(id)"])
        }
        guard wait else { return .success }
        guard let builds = last?["builds"]?.arrayValue else {
            throw FailedRun("the master ended before the build; the next one builds the request")
        }
        var worst: Results?
        for build in builds {
            let number = build["number"]?.intValue ?? 0
            let state = build["state_string"]?.stringValue ?? ""
            await console.print("\(builder) #\(number) \(state)".makingControlsVisible())
            guard build["retried"] != .bool(true) else { continue }
            worst = Results.worst(worst, build["results"]?.intValue.flatMap(Results.init))
        }
        if let worst { return ExitStatus(worst) }
        await console.complain(["the build did not end; the next master runs it again"])
        return .failure
    }
}

/// The options that select the base folder of a running master.
struct MasterPlace: ParsableArguments {
    @OptionGroup var source: ConfigurationOptions
    @OptionGroup var base: BaseFolderOptions

    /// The base folder.
    var folder: String { base.path(beside: source.file) }

    /// The client of the master.
    var client: ControlClient { ControlClient(folder: folder) }
}

extension JSONObject {
    /// The texts of a list.
    fileprivate func texts(_ name: String) -> [String] {
        self[name]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}

/// Shows the answer to `status`.
struct StatusPage {
    /// The most idle builders that are listed.
    static let idleLimit = 20

    private let paint: TextPainter
    private let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    func lines(_ status: JSONObject, width: Int) -> [String] {
        let uptime = Duration.seconds(status["uptime_s"]?.intValue ?? 0)
        let process = status["pid"]?.intValue ?? 0
        let file = (status["configuration"]?.stringValue ?? "").makingControlsVisible()
        let state = status["stopping"] == .bool(true) ? "stopping, running" : "running"
        var table = TextTable(paint: paint)
        add(builders: status["builders"]?.arrayValue ?? [], to: &table)
        for reporter in status["reporters"]?.arrayValue ?? [] {
            table.add(cells(ofReporter: reporter))
        }
        for name in ["services", "change_sources"] {
            for service in status[name]?.arrayValue ?? [] {
                table.add(cells(of: service))
            }
        }
        for scheduler in status["schedulers"]?.arrayValue ?? [] {
            table.add(cells(ofScheduler: scheduler))
        }
        // The master's own machine is there unless the file tells of others.
        let workers = status["workers"]?.arrayValue ?? []
        if workers.count > 1 || workers.first?["name"] != "local" {
            for worker in workers { table.add(WorkerLines.cells(worker)) }
        }
        var lines = ["\(file): \(state) for \(uptime.forPeople) (process \(process))"]
        lines += table.lines(width: width, ellipsis: marks.ellipsis)
        if let address = status["web"]?.stringValue {
            let page = status["buildbot_url"]?.stringValue ?? address
            lines.append("web page: \(page)\(page == address ? "" : ", listening on \(address)")")
        }
        let parked = status["parked"]?.intValue ?? 0
        if parked > 0 { lines.append("\(parked.counting("report")) parked for other reporters") }
        return lines
    }

    /// Many idle builders would hide the ones that somebody looks for.
    private func add(builders: [JSONValue], to table: inout TextTable) {
        func isIdle(_ builder: JSONValue) -> Bool {
            builder["running"]?.arrayValue?.isEmpty != false && builder["pending"] == 0
        }
        let idle = builders.count(where: isIdle)
        let isCounted = idle > Self.idleLimit
        for builder in builders where !isCounted || !isIdle(builder) {
            table.add(cells(ofBuilder: builder))
        }
        guard isCounted else { return }
        let others = idle == builders.count ? "builders" : "other builders"
        table.add([.init("\(idle) \(others)"), .init("idle")])
    }

    private func cells(ofBuilder builder: JSONValue) -> [TextTable.Cell] {
        let name = builder["name"]?.stringValue ?? ""
        let running = (builder["running"]?.arrayValue ?? []).map { build in
            let start = build["started_at"]?.intValue ?? 0
            let seconds = max(0, Int(Date().timeIntervalSince1970) - start)
            let time = Duration.seconds(seconds).forPeople
            return "#\(build["number"]?.intValue ?? 0) for \(time)"
        }
        let pending = builder["pending"]?.intValue ?? 0
        let reason = builder["waits_for"]?.stringValue?.makingControlsVisible()
        // The builds that are shown are reason enough for others to wait.
        let isClear = !running.isEmpty && reason == "its previous build"
        let waits = isClear ? "" : reason.map { ", waiting for \($0)" } ?? ""
        let isDeclared = builder["declared"] == .bool(true)
        let work = isDeclared ? running : running + ["not in the file"]
        return [
            .init(name.makingControlsVisible(), .bold),
            .init(work.isEmpty ? "idle" : work.joined(separator: ", ")),
            .init(pending == 0 ? "" : "\(pending) pending\(waits)"),
        ]
    }

    /// A service or change source.
    private func cells(of service: JSONValue) -> [TextTable.Cell] {
        [
            .init((service["name"]?.stringValue ?? "").makingControlsVisible(), .bold),
            .init(service["key"]?.stringValue ?? ""),
            problem(of: service) ?? .init(""),
        ]
    }

    /// What keeps a reporter, service, change source or scheduler from its work.
    private func problem(of service: JSONValue) -> TextTable.Cell? {
        service["problem"]?.stringValue.map { .init($0.makingControlsVisible(), .yellow) }
    }

    /// A scheduler; one that waits for nothing but changes or people has no time.
    private func cells(ofScheduler scheduler: JSONValue) -> [TextTable.Cell] {
        let name = scheduler["name"]?.stringValue ?? ""
        let isDisabled = scheduler["enabled"] == .bool(false)
        return [
            .init(name.makingControlsVisible(), .bold),
            .init(isDisabled ? "disabled" : wait(ofScheduler: scheduler)),
            problem(of: scheduler) ?? .init(scheduler["key"]?.stringValue ?? ""),
        ]
    }

    private func wait(ofScheduler scheduler: JSONValue) -> String {
        let words = scheduler["waits_for"]?.stringValue?.makingControlsVisible()
        guard let moment = scheduler["next_at"]?.intValue else {
            return words.map { "waiting for \($0)" } ?? "waiting"
        }
        let left = max(0, moment - Int(Date().timeIntervalSince1970))
        let next = "next build in \(Duration.seconds(left).forPeople)"
        return words == "no more changes" ? next + " unless more changes come" : next
    }

    private func cells(ofReporter reporter: JSONValue) -> [TextTable.Cell] {
        let name = reporter["name"]?.stringValue ?? ""
        let waiting = reporter["waiting"]?.intValue ?? 0
        let isClosed = reporter["closed"] == .bool(true)
        return [
            .init(name.makingControlsVisible(), .bold),
            .init(
                waiting == 0
                    ? "no undelivered reports" : "\(waiting.counting("report")) to be delivered"),
            isClosed ? .init("endpoint closed", .yellow) : problem(of: reporter) ?? .init(""),
        ]
    }
}
