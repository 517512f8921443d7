import Logging
import MasterKit
import Synchronization

/// The first stage of a pipeline: generates the reports of its reporter, concurrently for different
/// lanes and in order within each.
///
/// Events come from memory as they are committed, and from the store at the start and whenever the
/// reporter was too slow for its buffer. Nothing here is part of a build's transaction.
final class GenerationStage: Sendable {
    /// The maximum number of lanes processed at once.
    static let workerLimit = 8
    /// The maximum number of events queued here; the rest stay in the buffer of the bus.
    static let queueLimit = 256
    /// The number of committed events kept by the bus before the store is read instead.
    static let bufferLimit = 1024

    private struct State {
        var lanes = LaneQueue<Event>()
        var cursor: EventCursor
        var workers = 0
        var hasFailed = false
    }

    let reporter: RunningReporter
    let environment: DeliveryEnvironment
    let crashGuard: CrashGuard
    private let sender: DeliverySender
    private let space = Signal()
    private let state: Mutex<State>

    init(
        of reporter: RunningReporter, from cursor: Int,
        watching crashGuard: CrashGuard = CrashGuard(),
        to sender: DeliverySender, in environment: DeliveryEnvironment
    ) {
        self.reporter = reporter
        self.environment = environment
        self.crashGuard = crashGuard
        self.sender = sender
        state = Mutex(State(cursor: EventCursor(at: cursor)))
    }

    /// Whether all events up to a sequence number have been processed, or none will be any more.
    func isDone(upTo sequence: Int) -> Bool {
        state.withLock { state in
            state.hasFailed || (state.lanes.count == 0 && state.cursor.value >= sequence)
        }
    }

    /// Generates reports until the task is cancelled.
    func run() async {
        let bus = environment.store.events
        await bus.withSubscription(to: reporter.kinds, bound: Self.bufferLimit) { events in
            await withDiscardingTaskGroup { group in
                await catchUp(in: &group)
                for await notice in events {
                    switch notice {
                    case .event(let event): await accept(event, in: &group)
                    case .missed: await catchUp(in: &group)
                    }
                }
            }
        }
    }

    private func catchUp(in group: inout DiscardingTaskGroup) async {
        let limit = Self.queueLimit
        while !Task.isCancelled {
            let newest = state.withLock(\.cursor.newest)
            let page: [Event]
            do {
                page = try await environment.store.read { database in
                    try Event.stored(after: newest, limit: limit, in: database)
                }
            } catch {
                return fail(error)
            }
            for event in page { await accept(event, in: &group) }
            guard page.count == limit else { return }
        }
    }

    private func accept(_ event: Event, in group: inout DiscardingTaskGroup) async {
        while state.withLock({ $0.lanes.count >= Self.queueLimit && !$0.hasFailed }) {
            guard !Task.isCancelled else { return }
            await space.wait()
        }
        let isWorkerMissing = state.withLock { state in
            guard !state.hasFailed, let sequence = event.sequence,
                sequence > state.cursor.newest
            else { return false }
            guard reporter.kinds.contains(event.kind) else {
                state.cursor.pass(sequence)
                return false
            }
            state.cursor.begin(sequence)
            state.lanes.add(event, to: event.lane)
            guard state.workers < Self.workerLimit else { return false }
            state.workers += 1
            return true
        }
        if isWorkerMissing { group.addTask { await self.work() } }
    }

    private func work() async {
        while let (lane, event) = next() {
            await sender.waitUntilMoreIsWanted()
            await report(event, in: lane) { await self.generatedReports(of: event, in: $0) }
        }
    }

    /// Returns the number of events for which no report has been generated yet.
    func unreportedCount() async throws(StoreError) -> Int {
        let kinds = reporter.kinds
        let (waiting, newest) = state.withLock { ($0.lanes.count, $0.cursor.newest) }
        return try await environment.store.read { database in
            waiting + (try database.eventCount(of: kinds, after: newest))
        }
    }

    /// Generates, stores and passes on the reports of an event.
    private func report(
        _ event: Event, in lane: Int, reports: (ReportRoom) async throws -> [GeneratedReport]?
    ) async {
        let room = ReportRoom(in: sender.memory)
        do {
            if let reports = try await reports(room) {
                sender.add(try await store(reports, of: event))
            }
        } catch {
            fail(error)
        }
        room.giveBack()
        state.withLock { $0.lanes.finish(lane) }
        space.raise()
        environment.changed.raise()
    }

    /// The next event for a worker, or `nil` if the worker should end.
    private func next() -> (lane: Int, element: Event)? {
        state.withLock { state -> (lane: Int, element: Event)? in
            guard !state.hasFailed, !Task.isCancelled, let next = state.lanes.next() else {
                state.workers -= 1
                return nil
            }
            return next
        }
    }

    /// Stores the reports of an event; a report that cannot be stored becomes a failed delivery.
    private func store(
        _ reports: [GeneratedReport], of event: Event
    ) async throws(StoreError) -> [Delivery] {
        do {
            return try await storeWithCursor(reports, of: event)
        } catch {
            guard !error.stopsStore, error.code != .closed else { throw error }
            let faults = reports.map {
                GeneratedReport(part: $0.part, content: .fault(environment.mask.masked("\(error)")))
            }
            return try await storeWithCursor(faults, of: event)
        }
    }

    /// Stores reports and the cursor in one transaction.
    private func storeWithCursor(
        _ reports: [GeneratedReport], of event: Event
    ) async throws(StoreError) -> [Delivery] {
        guard let sequence = event.sequence else { return [] }
        let (deliveries, deadCount) = try await environment.store.write {
            [self] transaction -> ([Delivery], Int) in
            // Another pipeline generates the reports of all events that were unfinished when it
            // took over.
            guard !sender.isOver else { return ([], 0) }
            let inserted = try transaction.insertReports(reports, of: event, for: reporter.id)
            let cursor = state.withLock { $0.cursor.value(finishing: sequence) }
            try transaction.moveCursor(of: reporter.id, to: cursor, after: sequence)
            state.withLock { $0.cursor.finish(sequence) }
            return inserted
        }
        environment.tally.note(dead: deadCount)
        return deliveries
    }

    /// Ends the work for this run; what is not stored is generated again by the next one.
    private func fail(_ error: any Error) {
        let isFirst = state.withLock { state in
            defer { state.hasFailed = true }
            return !state.hasFailed
        }
        space.raise()
        environment.changed.raise()
        guard isFirst else { return }
        environment.logger.error(
            "no more reports are generated for \(reporter.name) in this run: \(error)")
    }
}

extension GenerationStage {
    /// Asks every generator for its report; `nil` if the run ends meanwhile.
    ///
    /// A generator that throws causes a failed delivery with its reason, and the others are still
    /// asked.
    private func generatedReports(of event: Event, in room: ReportRoom) async -> [GeneratedReport]?
    {
        let context = ReportContext(
            event: event, formatter: reporter.plugin.defaultFormatter,
            uses: reporter.plugin.needs, master: environment.identity,
            logger: environment.logger(of: reporter),
            source: StoreReportSource(environment.store, reporting: event, in: room))
        var reports: [GeneratedReport] = []
        for (part, generator) in reporter.generators.enumerated()
        where generator.wantedEvents.contains(event.kind) {
            do {
                guard let text = try await report(of: event, by: generator, context) else {
                    continue
                }
                reports.append(GeneratedReport(part: part, content: .report(text)))
            } catch {
                guard !Task.isCancelled else { return nil }
                reports.append(fault(error, of: part))
            }
        }
        return reports
    }

    /// The report as stored, which is the only copy kept in memory.
    private func report(
        of event: Event, by generator: any ReportGenerator,
        _ context: ReportContext
    ) async throws -> Masked<String>? {
        let report = try await PluginCall.run(on: environment.clock) {
            try await generator.generate(for: event, in: context)
        }
        return try report.map { try stored($0) }
    }

    /// The report as stored: checked and masked.
    private func stored(_ report: consuming Report) throws -> Masked<String> {
        try check(report)
        if !reporter.plugin.usesRecords { report.removeRecords() }
        let masked = report.masked(by: environment.mask)
        if let name = environment.mask.nameShown(in: .object(masked.value.inputs)) {
            throw DeliveryFault(
                "the reporter's address, method or headers use a value of the build that holds the "
                    + "secret '\(name)', which is not stored; use !Secret there")
        }
        let origin = try origin(of: masked.value)
        return masked.map { $0.stored(goingTo: origin) }
    }

    /// The origin that the report is sent to, if it depends on the report.
    private func origin(of report: Report) throws -> String? {
        let id = DeliveryID(
            store: environment.storeID, reporter: reporter.id, event: 0, part: 0)
        let context = environment.context(for: reporter, id: id, attempt: 0)
        let origin = try reporter.plugin.origin(of: report, in: context)
        return origin.map { environment.mask.apply(to: $0) }
    }

    /// Throws if a body declared as JSON is not valid JSON.
    private func check(_ report: Report) throws {
        guard case .text(let text, let contentType) = report.body else { return }
        let type = contentType.prefix { $0 != ";" }.lowercased()
        guard type == "application/json" || type.hasSuffix("+json") else { return }
        do {
            _ = try JSONValue(parsing: text)
        } catch {
            throw DeliveryFault("the report is not valid JSON: \(error)")
        }
    }

    private func fault(_ error: any Error, of part: Int) -> GeneratedReport {
        let reason = environment.mask.masked("the report could not be generated: \(error)")
        environment.logger.error("\(reporter.name): \(reason.value)")
        return GeneratedReport(part: part, content: .fault(reason))
    }
}

/// After a crash.
extension GenerationStage {
    /// Generates the reports of the first unfinished event.
    ///
    /// Nothing else is generated at the same time, so that another crash identifies the cause.
    func workAlone() async {
        guard let event = await firstLeftEvent(), let sequence = event.sequence else { return }
        let isFirst = state.withLock { state in
            // On a slow disk, other workers may have started by now.
            guard sequence > state.cursor.newest else { return false }
            state.cursor.begin(sequence)
            state.lanes.add(event, to: event.lane)
            state.workers += 1
            return true
        }
        guard isFirst else { return }
        if let (lane, event) = next() {
            await report(event, in: lane) { room in
                try await self.guardedReports(of: event, sequence, in: room)
            }
        }
        await work()
    }

    private func firstLeftEvent() async -> Event? {
        guard let newest = crashGuard.newestEvent else { return nil }
        let (kinds, cursor) = (reporter.kinds, state.withLock(\.cursor.value))
        do {
            return try await environment.store.read { database in
                try Event.first(of: kinds, after: cursor, upTo: newest, in: database)
            }
        } catch {
            fail(error)
            return nil
        }
    }

    /// Generates the reports of an event that may have crashed the program.
    ///
    /// A counter is incremented first; the commit that stores the reports resets it. An event that
    /// has crashed the program too often is given up.
    private func guardedReports(
        of event: Event, _ sequence: Int, in room: ReportRoom
    ) async throws -> [GeneratedReport]? {
        if crashGuard.rejects(sequence) { return gaveUp(event) }
        let id = reporter.id
        try await environment.store.write { try $0.suspect(sequence, of: id) }
        let reports = await generatedReports(of: event, in: room)
        if reports == nil {
            try await environment.store.write { try $0.clearSuspicion(sequence, of: id) }
        }
        return reports
    }

    private func gaveUp(_ event: Event) -> [GeneratedReport] {
        let times = "\(crashGuard.suspicion?.crashes ?? CrashGuard.crashLimit) times in a row"
        let reason =
            "the report could not be generated: the program crashed \(times) while generating it"
        environment.logger.error("\(reporter.name): \(reason)")
        return reporter.generators.enumerated()
            .filter { $0.element.wantedEvents.contains(event.kind) }
            .map {
                GeneratedReport(part: $0.offset, content: .fault(environment.mask.masked(reason)))
            }
    }
}

/// A generator's result for an event, before it is stored.
struct GeneratedReport: Sendable {
    /// A report as stored, or the reason why there is none.
    enum Content: Sendable {
        case report(Masked<String>)
        case fault(Masked<String>)
    }

    /// The index of the generator among those of its reporter.
    let part: Int
    /// The report or the reason.
    let content: Content
}
