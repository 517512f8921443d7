internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime
internal import OrderedCollections

/// Shows builds while they run: as a live tree on a terminal, otherwise as one line per change.
actor RunDisplay {
    /// Returns the lines of a log by its ID, or `nil` if it does not exist.
    typealias Follow = @Sendable (Int) async throws -> LogLineSequence?

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
    /// The tasks that show the output of logs, by ID; each ends with its log.
    private var followers: [Int: Task<Void, Never>] = [:]

    private static let progressKinds: Set<EventKind> = [
        .buildNew, .buildFinished, .stepNew, .stepStarted, .stepUpdated,
        .stepFinished, .buildsetFinished,
    ]

    /// Creates a display.
    ///
    /// - Parameters:
    ///   - console: The console to use.
    ///   - follow: Returns the lines of a log by its ID; without it, no output is shown.
    init(
        _ console: Console, follow: Follow? = nil
    ) {
        self.console = console
        self.follow = follow
        tree = console.output.canRedraw ? BuildTree(console.output) : nil
        paint = TextPainter(hasColour: console.output.hasColour)
        kinds = Self.progressKinds.union(follow == nil ? [] : [.logNew, .logFinished])
    }

    /// Shows events until they end or the task is cancelled.
    func show(_ events: EventSubscription) async {
        await withDiscardingTaskGroup { group in
            if tree != nil { group.addTask { await self.redraw() } }
            await read(events)
            for follower in followers.values { await follower.value }
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
            case .event(let event):
                await show(event)
            }
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
        guard let progress = builds.apply(event) else { return }
        guard let tree else { return await console.print(progress.lines(paint)) }
        switch progress {
        case .buildFinished(let build):
            await draw()
            await console.print(
                tree.lines(build, width: console.size.columns, now: build.completeAt ?? event.at))
        default:
            break
        }
    }

    private func beginOutput(_ event: Event) {
        guard let follow, let log = event.record["logid"]?.intValue,
            let (step, build) = builds.step(ofLog: event)
        else { return }
        followers[log] = Task { [console, paint] in
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
        guard let log = event.record["logid"]?.intValue else { return }
        await followers.removeValue(forKey: log)?.value
    }

    private func draw() async {
        guard let tree else { return }
        let size = console.size
        let lines = tree.lines(
            builds.running.values, width: size.columns, rows: size.rows - 1, now: Date())
        await console.show(live: lines)
    }
}

/// Writes events as JSON lines, each with the format version, the event, its time in milliseconds
/// since 1970, the id of its build, and its record.
struct EventLines: Sendable {
    private static let version = 1

    /// The kinds of events to write.
    let kinds: Set<EventKind>
    private let console: Console

    /// Creates a writer; optionally, it also writes the lines of logs.
    init(_ console: Console, withOutput: Bool) {
        self.console = console
        kinds = Set(EventKind.allCases.filter { withOutput || $0 != .logAppended })
    }

    /// Writes events until the sequence ends.
    func write(_ events: EventSubscription) async {
        for await delivery in events {
            switch delivery {
            case .missed(let count):
                await console.print(
                    Self.line("events.missed", at: Date(), ["count": .int(count)]))
            case .event(let event):
                await console.print(
                    Self.line(
                        event.kind.rawValue, at: event.at, of: event.buildID, event.record))
            }
        }
    }

    /// Formats one line.
    static func line(
        _ event: String, at time: Date, of build: Int? = nil, _ record: JSONObject
    ) -> String {
        let milliseconds = Int((time.timeIntervalSince1970 * 1000).rounded())
        return JSONWriter.compact.string([
            "formatVersion": .int(version), "event": .string(event), "at_ms": .int(milliseconds),
            "buildid": .optional(build), "record": .object(record),
        ])
    }
}
