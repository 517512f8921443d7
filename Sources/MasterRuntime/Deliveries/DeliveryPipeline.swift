import Logging
import MasterHTTP
import MasterKit
import Synchronization

/// The processing of one reporter's reports: they are generated from events, stored, queued and
/// sent.
final class DeliveryPipeline: Sendable {
    let declaration: ReporterDeclaration
    let generation: GenerationStage
    let sender: DeliverySender
    private let stopped = Signal()
    private let ended = Signal()

    init(
        _ declaration: ReporterDeclaration, _ generation: GenerationStage, _ sender: DeliverySender
    ) {
        self.declaration = declaration
        self.generation = generation
        self.sender = sender
    }

    var reporter: RunningReporter { sender.reporter }

    /// Generates and sends reports until ``end()`` is called or the task is cancelled.
    func run() async {
        defer { ended.raise() }
        guard !sender.isEnding else { return }
        await untilEnd { pipeline in
            await withDiscardingTaskGroup { group in
                group.addTask { await pipeline.generation.run() }
                group.addTask { await pipeline.sender.run() }
            }
        }
    }

    /// Generates the reports of the first unfinished event after a crash, unless ``end()`` is
    /// called first.
    func workAlone() async {
        await untilEnd { await $0.generation.workAlone() }
    }

    private func untilEnd(_ work: @escaping @Sendable (DeliveryPipeline) async -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await work(self) }
            group.addTask {
                await self.stopped.wait()
                // End the pipeline's other work as well.
                if self.sender.isEnding { self.stopped.raise() }
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Ends the pipeline once deliveries in flight are done; those that take too long are
    /// abandoned.
    ///
    /// Nothing that arrives later is stored, not even from a plugin that ignores its cancellation,
    /// so that another pipeline can take over.
    func end() async {
        let clock = sender.environment.clock
        await sender.finishInFlight(until: clock.elapsed + Deliveries.grace)
        stopped.raise()
        await ended.wait(until: clock.elapsed + .seconds(1), on: clock)
        sender.handOver()
    }
}

/// A configured reporter, as used by the deliveries.
struct RunningReporter: Sendable {
    /// The id of the reporter's row.
    let id: Int
    /// The name, unique in a master.
    let name: String
    /// The plugin that sends reports.
    let plugin: any Reporter
    /// The generators; the index of a generator is the part of its deliveries.
    let generators: [any ReportGenerator]
    /// The events that any generator wants.
    let kinds: Set<EventKind>
    /// The retry schedule.
    let schedule: RetrySchedule
    /// The maximum number of reports in flight.
    let inFlight: Int
    /// Holds the reporter's cookies and defaults.
    let session: HTTPSession

    init(
        _ declaration: ReporterDeclaration, id: Int, session: HTTPSession,
        schedule: RetrySchedule
    ) {
        self.id = id
        self.session = session
        self.schedule = schedule.following(declaration.retry)
        inFlight = declaration.inFlight
        name = declaration.name
        plugin = declaration.plugin
        generators = declaration.generators
        kinds = declaration.kinds
    }
}

extension ReporterDeclaration {
    /// The events that any generator wants.
    var kinds: Set<EventKind> {
        generators.reduce(into: []) { $0.formUnion($1.wantedEvents) }
    }
}
