internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime
internal import OrderedCollections

/// Shows builds while they run: as a live tree on a terminal, otherwise as one line per change.
actor RunDisplay {
    /// Returns the lines of a log by its ID, or `nil` if it does not exist.
    typealias Follow = @Sendable (Int) async throws -> LogLineSequence?
    /// Returns the last bytes of a log that is being written, or `nil` if it has ended.
    typealias Tail = @Sendable (Int) async throws -> [UInt8]?
    /// Returns how long the builds of each builder usually take.
    typealias Usual = @Sendable () async throws -> [String: UsualTimes]
    /// Returns what is going on in the master.
    typealias Activity = @Sendable () -> BuildActivity

    /// The interval for redrawing the tree.
    static let interval: Duration = .milliseconds(100)

    /// The size of the event buffer.
    static let bound = 8192

    /// The kinds of events that are shown.
    nonisolated let kinds: Set<EventKind>

    private let console: Console
    private let tree: BuildTree?
    private let paint: TextPainter
    private var builds = RunningBuilds()
    private let follow: Follow?
    private let tail: Tail?
    private let usual: Usual?
    private let activity: Activity
    private var usualTimes: [String: UsualTimes] = [:]
    /// The last log of each running step, by the ID of the step.
    private var logs: [Int: Int] = [:]
    /// The last lines of these logs.
    private var output: [Int: [String]] = [:]
    /// The tasks that show the output of logs, by ID; each ends with its log or the display.
    private var followers: [Int: Task<Void, Never>] = [:]

    private static let progressKinds: Set<EventKind> = [
        .buildNew, .buildFinished, .stepNew, .stepStarted, .stepUpdated,
        .stepFinished, .buildsetFinished,
    ]

    /// Creates a display.
    ///
    /// - Parameters:
    ///   - console: The console to use.
    ///   - follow: Returns the lines of a log by its ID; without it, only the last lines of output
    ///     are shown, in the tree.
    ///   - tail: Returns the last bytes of a log for the tree.
    ///   - usual: Returns how long builds usually take, for the tree.
    ///   - activity: Returns which builds are running and which ones wait.
    init(
        _ console: Console, follow: Follow? = nil, tail: Tail? = nil, usual: Usual? = nil,
        activity: @escaping Activity
    ) {
        self.console = console
        self.follow = follow
        self.tail = follow == nil ? tail : nil
        self.usual = usual
        self.activity = activity
        tree = console.output.canRedraw ? BuildTree(console.output) : nil
        paint = TextPainter(hasColour: console.output.hasColour)
        let ofLogs: Set<EventKind> = follow == nil ? [] : [.logNew, .logFinished]
        kinds = Self.progressKinds.union(ofLogs).union(tree == nil ? [] : [.logNew])
    }

    /// Shows events until they end or the task is cancelled.
    func show(_ events: EventSubscription) async {
        await withDiscardingTaskGroup { group in
            if tree != nil {
                group.addTask { await self.learn() }
                group.addTask { await self.redraw() }
            }
            await read(events)
            for follower in followers.values { await end(of: follower) }
            group.cancelAll()
        }
        if tree != nil { await console.show(live: []) }
    }

    private func read(_ events: EventSubscription) async {
        for await delivery in events {
            switch delivery {
            case .missed(let count):
                await console.complain([
                    "warning: \(count.counting("event")) not shown; they came too fast"
                ])
                builds.forgetEnded(running: activity().running)
                forgetOutput()
            case .event(let event):
                await show(event)
            }
        }
    }

    /// Reads how long builds usually take.
    private func learn() async {
        guard let usual else { return }
        do {
            usualTimes = try await usual()
        } catch {
            await console.complain(["warning: usual times are not shown: \(error)"])
        }
    }

    /// Redraws the tree until the task is cancelled.
    private func redraw() async {
        while !Task.isCancelled {
            await draw()
            do {
                try await Task.sleep(for: Self.interval)
            } catch {
                return  // cancelled: the display is over
            }
        }
    }

    private func show(_ event: Event) async {
        switch event.kind {
        case .logNew: return beginOutput(event)
        case .logFinished: return await endOutput(event)
        default: break
        }
        let progress = builds.apply(event)
        if event.kind == .stepFinished, let step = event.record["stepid"]?.intValue {
            logs[step] = nil
            output[step] = nil
        } else if logs.count > builds.running.count {
            forgetOutput()
        }
        guard tree == nil, let progress else { return }
        await console.print(progress.lines(paint))
    }

    /// Forgets the output of steps whose end was missed.
    private func forgetOutput() {
        logs = logs.filter { builds.isRunning(step: $0.key) }
        output = output.filter { logs[$0.key] != nil }
    }

    private func beginOutput(_ event: Event) {
        guard let log = event.record["logid"]?.intValue,
            let (step, build) = builds.step(ofLog: event)
        else { return }
        guard let follow else { return logs[step.id] = log }
        followers[log] = Task { [console, paint] in
            defer { followers[log] = nil }
            do {
                guard let pieces = try await follow(log) else { return }
                for try await piece in pieces {
                    let output = BuildProgress.output(
                        LogLine.lines(marked: piece.bytes), step, of: build)
                    await console.print(output.lines(paint))
                }
            } catch {
                await console.complain([
                    "warning: the output of \(step.name) is not shown: \(error)"
                ])
            }
        }
    }

    /// Waits until the output of a log has been shown, so that it comes before the end of its step.
    private func endOutput(_ event: Event) async {
        guard let log = event.record["logid"]?.intValue, let follower = followers[log]
        else { return }
        await end(of: follower)
    }

    /// Waits for the end of a task that shows output, which is cancelled with this one.
    private func end(of follower: Task<Void, Never>) async {
        await withTaskCancellationHandler {
            await follower.value
        } onCancel: {
            follower.cancel()
        }
    }

    private func draw() async {
        guard let tree else { return }
        await readOutput()
        let content = BuildTree.Content(
            finished: builds.finished, succeededCount: builds.succeededCount,
            running: Array(builds.running.values),
            activity: activity(), output: output, usual: usualTimes)
        let size = console.size
        await console.show(
            live: tree.lines(content, width: size.columns, rows: size.rows - 1, now: Date()),
            madeFor: size.columns)
    }

    /// Reads the last lines of output. Only the end of each log is read, so that a flood of output
    /// costs no more than a single line.
    private func readOutput() async {
        guard let tail else { return }
        for (step, log) in logs {
            do {
                guard let end = try await tail(log), logs[step] == log else { continue }
                output[step] = Self.lastLines(of: end)
            } catch {
                logs[step] = nil  // The log is gone, or will be reported by its writer.
            }
        }
    }

    /// The last lines of a program's output, from the end of its log.
    static func lastLines(of end: [UInt8]) -> [String] {
        // The first line may lack its beginning, and with it its channel.
        let start = end.first.flatMap(LogChannel.init(rawValue:)) == nil ? 1 : 0
        let lines = LogLine.lines(marked: end).dropFirst(start).lazy.reversed()
            .filter { $0.channel != .header }
            .map { TerminalText.shown($0.text) }
            .filter { $0.contains { !$0.isWhitespace } }
            .prefix(BuildTree.outputCount)
        return lines.reversed().map { $0.replacing("\t", with: "    ") }
    }
}
