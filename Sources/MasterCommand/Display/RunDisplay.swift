internal import FoundationEssentials
internal import MasterKit
internal import OrderedCollections

/// Shows builds while they run: as a live tree on a terminal, else as a line a transition.
actor RunDisplay {
    /// How often running times and the tree are drawn again.
    static let interval: Duration = .milliseconds(100)

    /// How many events may wait to be shown.
    static let bound = 8192

    /// The events that are shown.
    nonisolated let kinds: Set<EventKind>

    private let console: Console
    private let tree: BuildTree?
    private let paint: TextPainter
    private var board = BuildBoard()

    private static let transitions: Set<EventKind> = [
        .buildNew, .buildUpdated, .buildFinished, .stepNew, .stepStarted, .stepUpdated,
        .stepFinished, .buildsetFinished,
    ]

    /// Makes a display.
    ///
    /// - Parameters:
    ///   - console: Where it is shown.
    ///   - showsOutput: Whether the output of steps is shown as it comes.
    init(_ console: Console, showsOutput: Bool) {
        self.console = console
        tree = console.output.canRedraw ? BuildTree(console.output) : nil
        paint = TextPainter(hasColour: console.output.hasColour)
        kinds = showsOutput ? Self.transitions.union([.logAppended]) : Self.transitions
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
                    "warning: \(count.counting("event")) came faster than they could be shown"
                ])
            case .event(let event):
                await show(event)
            }
        }
    }

    /// Draws the tree again and again until the task is cancelled.
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
        guard let transition = board.apply(event) else { return }
        guard let tree else { return await console.print(transition.lines(paint)) }
        switch transition {
        case .buildFinished(let build):
            await draw()
            await console.print(
                tree.lines(build, width: console.size.columns, now: build.completeAt ?? event.at))
        case .output:
            await console.print(transition.lines(paint))
        default:
            break
        }
    }

    private func draw() async {
        guard let tree else { return }
        let size = console.size
        let lines = tree.lines(
            board.running.values, width: size.columns, rows: size.rows - 1, now: Date())
        await console.show(live: lines)
    }
}
