import FoundationEssentials
import GRDB
import MasterKit

/// An open delivery: a report that is to be sent.
struct Delivery: Sendable {
    /// The id of the row.
    let id: Int
    /// The event that is reported.
    let eventSequence: Int
    /// The index of the reporter's generator that made it.
    let part: Int
    /// Deliveries of one lane arrive in order.
    let lane: Int
    /// The number of attempts so far.
    var attempts: Int
    /// The number of attempts before its retry schedule was restarted.
    var triesBefore = 0
    /// When its retry schedule began.
    var since = Date.distantPast
    /// When it is due, on the deliveries' clock.
    var due: Duration
    /// The time before which the receiver has asked not to be contacted.
    var notBefore: Date?
    /// Why the last attempt in this run failed.
    var failureKind: FailureKind?
    /// Scheme, host and port of the receiver, if they depend on the report.
    var origin = ""
    /// The size of the stored report, which is only read when it is sent.
    let byteCount: Int
    /// The report as stored, if it is sent at once and not large.
    var report: String?

    /// The maximum size of a report that is not read again to be sent.
    static let smallByteCount = 64 << 10
}

extension Delivery {
    /// The delivery with its due time set to now, or to the time that the receiver asked for.
    func due(on clock: ElapsedClock) -> Delivery {
        var delivery = self
        let wait = notBefore.map { Duration.seconds($0.timeIntervalSince(clock.now)) } ?? .zero
        // If the system clock was set back, that must not delay a report for long.
        let bounded = min(max(wait, .zero), RetrySchedule.longestAskedFor)
        delivery.due = clock.elapsed + bounded
        return delivery
    }
}

/// Why a report was not delivered, as far as it matters for retries.
enum FailureKind: Sendable, Hashable {
    /// The receiver was unreachable; the report is sent as soon as it is reachable.
    case unreachable
    /// The receiver was temporarily unable to accept the report.
    case unavailable
    /// The receiver rejects the report at present.
    case rejected
}

/// The id of a delivery for its receiver, the same for every attempt.
struct DeliveryID: Sendable, CustomStringConvertible {
    /// The identifier of the store.
    let store: String
    /// The id of the reporter's row.
    let reporter: Int
    /// The event that is reported.
    let event: Int
    /// The index of the reporter's generator that made it.
    let part: Int

    /// The id as it is sent.
    var description: String { "msg_\(store)_\(reporter)_\(event)_\(part)" }
}

/// The state of a delivery, as stored in its row.
package enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    /// It is still to be sent.
    case open
    /// It was delivered.
    case delivered
    /// It was given up.
    case dead
    /// Its reporter is currently not configured.
    case parked
    /// No generator made a report for the event.
    case nothing
}

/// A report that cannot be sent, detected before any request.
package struct DeliveryFault: Error, CustomStringConvertible {
    /// The reason.
    package let description: String

    /// Creates a fault with a reason.
    package init(_ reason: String) {
        description = reason
    }
}

/// A report is stored as one line of JSON, and sent with the same bytes after it is read back.
extension Report {
    /// The stored form of the report, which begins with its origin.
    func stored(goingTo origin: String? = nil) -> String {
        var object = JSONObject()
        object["origin"] = origin.map { .string($0) }
        object["subject"] = .optional(subject)
        object["results"] = .optional(results?.rawValue)
        object["builds"] = .array(buildIDs.map { .int($0) })
        if !inputs.isEmpty { object["inputs"] = .object(inputs) }
        if !secretMarks.isEmpty {
            let marks = secretMarks.sorted { $0.key < $1.key }
            object["secrets"] = .object(JSONObject(marks.map { ($0.key, .string($0.value)) }))
        }
        switch body {
        case .json(let value):
            object["json"] = value
        case .text(let text, let contentType):
            object["contentType"] = .string(contentType)
            object["text"] = .string(text)
        case .empty:
            object["empty"] = true
        }
        object.merge(records)
        return JSONWriter.compact.string(.object(object))
    }

    /// The further records that are stored for reporters that use them.
    private var records: JSONObject {
        let values: [(String, JSONValue)] = [
            ("records", .array(builds.map { .object($0) })),
            ("buildset", buildset.map { .object($0) } ?? .null),
            ("users", .array(users.map { .string($0) })), ("patches", .array(patches)),
            ("logs", .array(logs)), ("extraInfo", .object(extraInfo)),
        ]
        return JSONObject(values.filter(\.1.isTruthy))
    }

    /// Parses what this program wrote, whatever its size.
    private static let parser = JSONParser(
        maximumDepth: 520, maximumByteCount: .max, maximumValueCount: .max)

    /// Restores a report from its stored form.
    init(stored text: String) throws(DeliveryFault) {
        let object: JSONObject?
        do {
            object = try Self.parser.parse(text).objectValue
        } catch {
            throw DeliveryFault("the stored report cannot be read: \(error)")
        }
        guard let object, let body = Body(stored: object) else {
            throw DeliveryFault("the stored report has no body")
        }
        self.init(
            body: body, subject: object["subject"]?.stringValue,
            results: object["results"]?.intValue.flatMap(Results.init(rawValue:)),
            buildIDs: object["builds"]?.arrayValue?.compactMap(\.intValue) ?? [],
            builds: object["records"]?.arrayValue?.compactMap(\.objectValue) ?? [],
            buildset: object["buildset"]?.objectValue,
            users: object["users"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            patches: object["patches"]?.arrayValue ?? [], logs: object["logs"]?.arrayValue ?? [],
            extraInfo: object["extraInfo"]?.objectValue ?? [:])
        inputs = object["inputs"]?.objectValue ?? [:]
        for (mark, name) in object["secrets"]?.objectValue ?? [:] {
            secretMarks[mark] = name.stringValue
        }
    }

    /// The length of the beginning of a stored report that ``origin(ofStored:)`` needs.
    static let originLimit = 400

    /// The origin in the beginning of a stored report; empty if it does not depend on the report.
    static func origin(ofStored beginning: String) -> String {
        let key = #"{"origin":""#
        guard beginning.hasPrefix(key) else { return "" }
        return String(beginning.dropFirst(key.count).prefix { $0 != "\"" })
    }

    /// The report with its secrets restored.
    ///
    /// - Throws: ``DeliveryFault`` if a secret no longer exists.
    func revealed(with secrets: SecretValues) throws(DeliveryFault) -> Report {
        for name in secretMarks.values.sorted() where secrets[name] == nil {
            throw DeliveryFault(
                "the report needs the secret '\(name)', which master.yaml no longer has")
        }
        return replacingSecretMarks { secrets[$0] ?? "" }
    }

    /// The report as shown to users, with the names of secrets in its body.
    var withSecretNames: Report { replacingSecretMarks { "<\($0)>" } }
}

extension Report.Body {
    fileprivate init?(stored object: JSONObject) {
        if let value = object["json"] {
            self = .json(value)
        } else if let text = object["text"]?.stringValue,
            let contentType = object["contentType"]?.stringValue
        {
            self = .text(text, contentType: contentType)
        } else if object["empty"] == true {
            self = .empty
        } else {
            return nil
        }
    }
}

extension Report {
    /// The report with the values of secrets masked.
    func masked(by mask: SecretMask) -> Masked<Report> {
        Masked(by: mask) { mask.isEmpty ? self : replacingSecrets(by: $0) }
    }

    private func replacingSecrets(by mask: SecretMask) -> Report {
        var report = self
        report.subject = subject.map { mask.apply(to: $0) }
        report.body = body.replacingSecrets(by: mask)
        report.builds = builds.map { mask.apply(to: $0) }
        report.buildset = buildset.map { mask.apply(to: $0) }
        report.users = users.map { mask.apply(to: $0) }
        report.patches = patches.map { mask.apply(to: $0) }
        report.logs = logs.map { mask.apply(to: $0) }
        report.extraInfo = mask.apply(to: extraInfo)
        report.inputs = mask.apply(to: inputs)
        return report
    }

    /// Removes the records, for a reporter that uses only the body, the subject and the results.
    mutating func removeRecords() {
        builds = []
        buildset = nil
        users = []
        patches = []
        logs = []
        extraInfo = [:]
    }
}

extension Report.Body {
    fileprivate func replacingSecrets(by mask: SecretMask) -> Report.Body {
        switch self {
        case .json(let value): .json(mask.apply(to: value))
        case .text(let text, let contentType):
            .text(mask.apply(to: text), contentType: contentType)
        case .empty: .empty
        }
    }
}

/// Queries for deliveries.
extension Database {
    private static let deliveryColumns =
        "id, event_seq, part, lane, attempts, tries_before, since, bytes, not_before, "
        + "substr(report, 1, \(Report.originLimit))"

    /// The open deliveries of a reporter, in sending order.
    func openDeliveries(ofReporter id: Int) throws -> [Delivery] {
        try all(
            """
            SELECT \(Self.deliveryColumns) FROM delivery INDEXED BY delivery_kept
            \(DeliveryState.open.condition) AND reporter_id = ?
            ORDER BY event_seq, part
            """,
            [id],
            Delivery.init(row:)
        )
    }

    /// The current state of a reporter's deliveries changed from outside since a change count, and
    /// of some others.
    func changes(ofReporter id: Int, after count: Int, and others: Set<Int>) throws
        -> DeliveryChanges
    {
        let marks = databaseQuestionMarks(count: others.count)
        let rows = try all(
            """
            SELECT \(Self.deliveryColumns), state FROM delivery
            WHERE reporter_id = ? AND ((changed > ? AND changed > 0) OR id IN (\(marks)))
            """,
            [id, count] + StatementArguments(others.sorted())
        ) { (Delivery(row: $0), isOpen: $0[10] == DeliveryState.open.rawValue) }
        return DeliveryChanges(
            open: rows.filter(\.isOpen).map(\.0),
            closed: Set(rows.filter { !$0.isOpen }.map(\.0.id)),
            isReporterClosed: try number(
                "SELECT closed_at IS NOT NULL FROM reporter WHERE id = ?", [id]) == 1
        )
    }

    /// The number of changes made to deliveries from outside the master.
    func changeCount() throws -> Int {
        try number("SELECT changes FROM meta", []) ?? 0
    }

    /// The number of events of some kinds after a sequence number.
    func eventCount(of kinds: Set<EventKind>, after sequence: Int) throws -> Int {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        return try number(
            "SELECT count(*) FROM event WHERE seq > ? AND kind IN (\(marks))",
            [sequence] + StatementArguments(words)) ?? 0
    }

    /// The newest stored event of some kinds, or 0 if there is none.
    func newestEvent(of kinds: Set<EventKind>) throws -> Int {
        let words = kinds.map(\.rawValue).sorted()
        let marks = databaseQuestionMarks(count: words.count)
        let newest = try first(
            "SELECT max(seq) FROM event WHERE kind IN (\(marks))",
            StatementArguments(words)
        ) { $0[0] as Int? }
        return (newest ?? nil) ?? 0
    }
}

/// Conditions on the state of rows, which start with `WHERE`.
///
/// Each repeats the condition of the partial index `delivery_kept` or `delivery_done`: SQLite uses
/// such an index only for a query that contains the condition of the index.
extension DeliveryState {
    /// Rows whose report may still be sent.
    static let isKept = "WHERE state IN ('open', 'parked', 'dead')"
    /// Rows whose report should be sent, now or once its reporter is available again.
    static let isWaiting = "WHERE state IN ('open', 'parked', 'dead') AND state <> 'dead'"

    /// Rows in this state.
    var condition: String {
        switch self {
        case .open, .parked, .dead:
            "WHERE state IN ('open', 'parked', 'dead') AND state = '\(rawValue)'"
        case .delivered, .nothing:
            "WHERE state IN ('delivered', 'nothing') AND state = '\(rawValue)'"
        }
    }
}

/// The changes to a reporter's deliveries.
struct DeliveryChanges: Sendable {
    /// The rows that are open now.
    let open: [Delivery]
    /// The rows that are no longer open.
    let closed: Set<Int>
    /// Whether nothing is sent to the endpoint.
    let isReporterClosed: Bool

    /// Whether no rows have changed.
    var isEmpty: Bool { open.isEmpty && closed.isEmpty }
}

extension Delivery {
    fileprivate init(row: Row) {
        self.init(
            id: row[0], eventSequence: row[1], part: row[2], lane: row[3], attempts: row[4],
            triesBefore: row[5], since: row.date(6) ?? .distantPast, due: .zero,
            notBefore: row.date(8),
            origin: (row[9] as String?).map(Report.origin(ofStored:)) ?? "", byteCount: row[7])
    }
}
