import MasterKit
import Synchronization

/// What an outbox looks out for after the program has gone down.
struct CrashWatch: Sendable {
    /// The newest event from before the crash; `nil` when there was none.
    var newestEvent: Int?
    /// The event that was worked on alone at that time.
    var suspicion: Suspicion?
    /// Whether the program went down by a fault of its own, as far as can be told.
    var wasFault = false

    /// How often the program may go down over an event before that is given up.
    ///
    /// Whoever kills the program may do so just then, more than once; but that a report needs more
    /// memory than there is looks the same.
    var crashLimit: Int { wasFault ? 2 : 6 }

    /// Whether an event is to be given up.
    func condemns(_ sequence: Int) -> Bool {
        suspicion.map { $0.eventSequence == sequence && $0.crashes >= crashLimit } ?? false
    }
}

extension Generation {
    /// After a crash: makes the reports of the first event that was not done.
    ///
    /// Nothing else is to be generated beside it, so that another crash tells that it is the cause.
    func workAlone() async {
        guard let event = await firstLeftEvent(), let sequence = event.sequence else { return }
        state.withLock { state in
            state.cursor.begin(sequence)
            state.lanes.add(event, to: event.lane)
            state.workers += 1
        }
        while let (lane, event) = next() {
            await report(event, in: lane) { try await self.watchedDrafts(of: event, sequence) }
        }
    }

    private func firstLeftEvent() async -> Event? {
        guard let newest = crashWatch.newestEvent else { return nil }
        let (kinds, cursor) = (recipient.kinds, state.withLock(\.cursor.value))
        do {
            return try await environment.store.read { database in
                try Event.first(of: kinds, after: cursor, upTo: newest, in: database)
            }
        } catch {
            fail(error)
            return nil
        }
    }

    /// The drafts of an event that may have brought the program down.
    ///
    /// It is noted before and after, so that the next start knows. An event that has done it
    /// too often is given up.
    private func watchedDrafts(of event: Event, _ sequence: Int) async throws -> [Draft]? {
        if crashWatch.condemns(sequence) { return gaveUp(event) }
        let id = recipient.id
        try await environment.store.write { try $0.suspect(sequence, of: id) }
        let drafts = await drafts(of: event)
        try await environment.store.write { try $0.acquit(sequence, of: id) }
        return drafts
    }

    private func gaveUp(_ event: Event) -> [Draft] {
        let times = "\(crashWatch.suspicion?.crashes ?? crashWatch.crashLimit) times"
        let reason = "no report could be made: the program went down \(times) while it was"
        environment.logger.error("\(recipient.name): \(reason)")
        return recipient.generators.enumerated()
            .filter { $0.element.wantedEvents.contains(event.kind) }
            .map { Draft(part: $0.offset, content: .fault(reason)) }
    }
}
