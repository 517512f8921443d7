import Logging
import MasterKit
import Synchronization

/// Generates the reports of one reporter: concurrently across lanes, in order within each lane.
///
/// Events are received as they are committed, and read from the store at the start and whenever the
/// reporter has missed some because its buffer was full. None of this is part of a build's
/// transaction.
final class ReportGeneration: Sendable {
    /// The maximum number of lanes processed concurrently.
    static let workerLimit = 8
    /// The maximum number of events queued here; the rest stay in the buffer of the bus.
    static let queueLimit = 256
    /// The number of committed events buffered by the bus before the store is read instead.
    static let bufferLimit = 1024

    struct State {
        var lanes = LaneQueue<Event>()
        var cursor: EventCursor
        var workers = 0
        var hasFailed = false
    }

    let recipient: Recipient
    let environment: DeliveryEnvironment
    let crashWatch: CrashGuard
    private let sender: DeliverySender
    private let space = Signal()
    let state: Mutex<State>

    init(
        of recipient: Recipient, from cursor: Int, watching crashWatch: CrashGuard = CrashGuard(),
        to sender: DeliverySender, in environment: DeliveryEnvironment
    ) {
        self.recipient = recipient
        self.environment = environment
        self.crashWatch = crashWatch
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
        await bus.withSubscription(to: recipient.kinds, bound: Self.bufferLimit) { events in
            await withDiscardingTaskGroup { group in
                await catchUp(in: &group)
                for await delivery in events {
                    switch delivery {
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
            guard recipient.kinds.contains(event.kind) else {
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

    func work() async {
        while let (lane, event) = next() {
            await sender.waitUntilMoreIsWanted()
            await report(event, in: lane) { await self.drafts(of: event, in: $0) }
        }
    }

    /// The number of events whose reports have not been generated yet.
    func unreportedCount() async throws(StoreError) -> Int {
        let kinds = recipient.kinds
        let (waiting, newest) = state.withLock { ($0.lanes.count, $0.cursor.newest) }
        return try await environment.store.read { database in
            waiting + (try database.eventCount(of: kinds, after: newest))
        }
    }

    /// Generates, stores and enqueues the reports of an event.
    func report(
        _ event: Event, in lane: Int, drafts: (ReportRoom) async throws -> [GeneratedReport]?
    ) async {
        let room = ReportRoom(in: sender.memory)
        do {
            if let drafts = try await drafts(room) {
                sender.add(try await keep(drafts, of: event))
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
    func next() -> (lane: Int, element: Event)? {
        state.withLock { state -> (lane: Int, element: Event)? in
            guard !state.hasFailed, !Task.isCancelled, let next = state.lanes.next() else {
                state.workers -= 1
                return nil
            }
            return next
        }
    }

    /// Stores the reports of an event; one that cannot be stored becomes a failed delivery.
    private func keep(_ drafts: [GeneratedReport], of event: Event) async throws(StoreError)
        -> [Delivery]
    {
        do {
            return try await store(drafts, of: event)
        } catch {
            guard !error.stopsStore, error.code != .closed else { throw error }
            let faults = drafts.map {
                GeneratedReport(part: $0.part, content: .fault(environment.mask.masked("\(error)")))
            }
            return try await store(faults, of: event)
        }
    }

    /// Stores reports along with the cursor in one transaction.
    private func store(_ drafts: [GeneratedReport], of event: Event) async throws(StoreError)
        -> [Delivery]
    {
        guard let sequence = event.sequence else { return [] }
        let (deliveries, deadCount) = try await environment.store.write { [self] transaction in
            let kept = try transaction.keep(drafts, of: event, for: recipient.id)
            let cursor = state.withLock { $0.cursor.value(finishing: sequence) }
            try transaction.moveCursor(of: recipient.id, to: cursor, after: sequence)
            state.withLock { $0.cursor.finish(sequence) }
            return kept
        }
        environment.tally.note(dead: deadCount)
        return deliveries
    }

    /// Stops for this run; events that have not been processed are processed again by the next run.
    func fail(_ error: any Error) {
        let isFirst = state.withLock { state in
            defer { state.hasFailed = true }
            return !state.hasFailed
        }
        space.raise()
        environment.changed.raise()
        guard isFirst else { return }
        environment.logger.error(
            "no more reports are generated for \(recipient.name) in this run: \(error)")
    }
}

extension ReportGeneration {
    /// Asks every generator for its report; returns `nil` if the run ends meanwhile.
    ///
    /// A generator that throws results in a failed delivery with the reason; the other generators
    /// are still asked.
    func drafts(of event: Event, in room: ReportRoom) async -> [GeneratedReport]? {
        let context = ReportContext(
            event: event, formatter: recipient.reporter.defaultFormatter,
            uses: recipient.reporter.uses, master: environment.identity, logger: environment.logger,
            source: StoreReportSource(environment.store, reporting: event, in: room))
        var drafts: [GeneratedReport] = []
        for (part, generator) in recipient.generators.enumerated()
        where generator.wantedEvents.contains(event.kind) {
            do {
                guard let text = try await report(of: event, by: generator, context) else {
                    continue
                }
                drafts.append(GeneratedReport(part: part, content: .report(text)))
            } catch {
                guard !Task.isCancelled else { return nil }
                drafts.append(fault(error, of: part))
            }
        }
        return drafts
    }

    /// Generates a report in its stored form; nothing else of it remains in memory.
    private func report(
        of event: Event, by generator: any ReportGenerator,
        _ context: ReportContext
    ) async throws -> Masked<String>? {
        let report = try await PluginCall.run(on: environment.clock) {
            try await generator.generate(for: event, in: context)
        }
        return try report.map { try stored($0) }
    }

    /// Converts a report to its stored form: checked and masked.
    private func stored(_ report: consuming Report) throws -> Masked<String> {
        try check(report)
        if !recipient.reporter.usesRecords { report.removeRecords() }
        let masked = report.masked(by: environment.mask)
        if let name = environment.mask.nameShown(in: .object(masked.value.inputs)) {
            throw DeliveryFault(
                "the reporter's address, method or headers use a value of the build that holds the "
                    + "secret '\(name)', which is not stored; use !Secret there")
        }
        let origin = try origin(of: masked.value)
        return masked.map { $0.stored(goingTo: origin) }
    }

    /// The origin of the receiver, if it depends on the report.
    private func origin(of report: Report) throws -> String? {
        let id = DeliveryID(
            store: environment.storeID, reporter: recipient.id, event: 0, part: 0)
        let context = environment.context(for: recipient, id: id, attempt: 0)
        let origin = try recipient.reporter.origin(of: report, in: context)
        return origin.map { environment.mask.apply(to: $0) }
    }

    /// Checks that a report with a JSON content type is valid JSON.
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
        environment.logger.error("\(recipient.name): \(reason.value)")
        return GeneratedReport(part: part, content: .fault(reason))
    }
}

/// The output of a generator for an event, before it is stored.
struct GeneratedReport: Sendable {
    /// A report in its stored form, or why it could not be generated.
    enum Content: Sendable {
        case report(Masked<String>)
        case fault(Masked<String>)
    }

    /// The index of the generator in its reporter.
    let part: Int
    /// The output.
    let content: Content
}
