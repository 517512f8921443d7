internal import FoundationEssentials
internal import MasterKit
internal import OrderedCollections

/// Shows builds while they run: as a live tree on a terminal, else as one line per change.
actor RunDisplay {
    /// How often the tree is redrawn.
    static let interval: Duration = .milliseconds(100)

    /// The size of the event buffer.
    static let bound = 8192

    /// The kinds of events that are shown.
    nonisolated let kinds: Set<EventKind>

    private let console: Console
    private let tree: BuildTree?
    private let paint: TextPainter
    private var builds = RunningBuilds()

    private static let progressKinds: Set<EventKind> = [
        .buildNew, .buildUpdated, .buildFinished, .stepNew, .stepStarted, .stepUpdated,
        .stepFinished, .buildsetFinished,
    ]

    init(_ console: Console, showsOutput: Bool) {
        self.console = console
        tree = console.output.canRedraw ? BuildTree(console.output) : nil
        paint = TextPainter(hasColour: console.output.hasColour)
        kinds = showsOutput ? Self.progressKinds.union([.logAppended]) : Self.progressKinds
    }

    /// Shows events until they come to an end or the task is cancelled.
    func show(_ events: EventSubscription) async {
        await withDiscardingTaskGroup { group in
            if tree != nil { group.addTask { await self.redraw() } }
            await read(events)
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
        guard let progress = builds.apply(event) else { return }
        guard let tree else { return await console.print(progress.lines(paint)) }
        switch progress {
        case .buildFinished(let build):
            await draw()
            await console.print(
                tree.lines(build, width: console.size.columns, now: build.completeAt ?? event.at))
        case .output:
            await console.print(progress.lines(paint))
        default:
            break
        }
    }

    private func draw() async {
        guard let tree else { return }
        let size = console.size
        let lines = tree.lines(
            builds.running.values, width: size.columns, rows: size.rows - 1, now: Date())
        await console.show(live: lines)
    }
}
