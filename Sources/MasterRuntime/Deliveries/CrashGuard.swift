import FoundationEssentials
import GRDB
import MasterKit
import Synchronization

/// Detects events whose reports crash the program.
struct CrashGuard: Sendable {
    /// The newest event from before the crash; `nil` if the program has not crashed.
    var newestEvent: Int?
    /// The event that was being handled alone during the crash, if any.
    var suspicion: CrashSuspect?

    /// How many consecutive crashes while handling an event alone are needed to give it up.
    ///
    /// A kill from outside looks like a crash. To be mistaken for a fault of the event, it would
    /// have to hit the few milliseconds of the same event in three consecutive runs.
    static let crashLimit = 3

    /// Whether an event is to be given up.
    func rejects(_ sequence: Int) -> Bool {
        suspicion.map { $0.eventSequence == sequence && $0.crashes >= Self.crashLimit } ?? false
    }
}

extension GenerationStage {
    /// After a crash: generates the reports of the first unfinished event.
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

    /// Generates the reports of an event that may have crashed the program.
    ///
    /// A counter is incremented first; the commit that stores the reports resets it. An event that
    /// has crashed the program too often is given up.
    private func guardedReports(
        of event: Event, _ sequence: Int, in room: ReportRoom
    ) async throws -> [GeneratedReport]? {
        if crashGuard.rejects(sequence) { return gaveUp(event) }
        let id = recipient.id
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
        environment.logger.error("\(recipient.name): \(reason)")
        return recipient.generators.enumerated()
            .filter { $0.element.wantedEvents.contains(event.kind) }
            .map {
                GeneratedReport(part: $0.offset, content: .fault(environment.mask.masked(reason)))
            }
    }
}

/// Crash counting.
extension StoreTransaction {
    /// Moves the cursor of a reporter after an event that did not crash the program.
    func moveCursor(of reporterID: Int, to cursor: Int, after sequence: Int) throws {
        try database.run(
            """
            UPDATE reporter SET cursor = ?1, crashes = iif(suspect_seq = ?2, 0, crashes),
                suspect_seq = nullif(suspect_seq, ?2)
            WHERE id = ?3
            """,
            [cursor, sequence, reporterID]
        )
    }

    /// Moves the cursor of a reporter past events of kinds that it does not report, up to the next
    /// one that it does. Otherwise a reporter of rare events would keep all others in the store.
    func passEvents(notOf kinds: Set<EventKind>, of reporterID: Int) throws {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        try database.run(
            """
            UPDATE reporter SET cursor = coalesce(
                (SELECT min(seq) - 1 FROM event WHERE seq > cursor AND kind IN (\(marks))),
                (SELECT max(seq) FROM event WHERE seq > cursor), cursor)
            WHERE id = ? AND cursor >= 0
            """,
            StatementArguments(words) + [reporterID]
        )
    }

    /// Records, before an event is processed, that it may crash the program.
    func suspect(_ sequence: Int, of reporterID: Int) throws {
        try database.run(
            """
            UPDATE reporter SET crashes = iif(suspect_seq = ?1, crashes + 1, 1), suspect_seq = ?1
            WHERE id = ?2
            """,
            [sequence, reporterID]
        )
    }

    /// Records that an event did not crash the program, although no report was generated for it.
    func clearSuspicion(_ sequence: Int, of reporterID: Int) throws {
        try database.run(
            """
            UPDATE reporter SET suspect_seq = NULL, crashes = 0 WHERE id = ? AND suspect_seq = ?
            """,
            [reporterID, sequence]
        )
    }
}

/// An event that was being handled alone when the program crashed.
struct CrashSuspect: Sendable {
    /// The event.
    let eventSequence: Int
    /// The number of crashes.
    let crashes: Int
}
