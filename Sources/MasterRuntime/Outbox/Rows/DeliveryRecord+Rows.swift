import FoundationEssentials
import GRDB
import MasterKit

extension DeliveryRecord {
    /// Reads the columns that every query for records begins with.
    init(row: Row) throws {
        self.init(
            id: row[0],
            reporter: row[1],
            subject: try Self.subject(of: row),
            state: DeliveryState(rawValue: row[2]) ?? .open,
            attempts: row[3],
            status: row[4],
            since: row.date(5) ?? .distantPast,
            nextTry: row.date(6),
            error: row[7],
            event: row[8],
            builder: row[9],
            buildNumber: row[10],
            byteCount: row[11]
        )
    }

    /// What is reported, in words; of an event that is no longer kept there is its number alone.
    private static func subject(of row: Row) throws -> String {
        guard let word = row[8] as String? else { return "event \(row[12] as Int)" }
        guard let kind = EventKind(rawValue: word) else { return word }
        let (builder, lane): (String?, Int) = (row[9], row[13])
        let build = (row[10] as Int?).map { "#\($0)" }
        let record = try (row[15] as String?).map(JSONValue.init(stored:))
        let step = record?["name"]?.stringValue
        let names: [String?] =
            switch kind.record {
            case .buildset: ["buildset \(abs(lane))"]
            case .buildrequest: [builder, "request \(lane)"]
            case .build, .step, .log, .properties, .worker: [builder, build, step]
            }
        let moment = moment(of: kind, Results(stored: record?["results"]?.intValue ?? row[14]))
        return (names.compactMap(\.self) + [moment]).joined(separator: " ")
    }

    /// What happened to it: how it ended, or else a verb.
    private static func moment(of kind: EventKind, _ results: Results?) -> String {
        switch kind {
        case .buildNew, .stepStarted: "started"
        case .buildFinished, .stepFinished, .buildsetFinished: Results.text(results)
        default: kind.rawValue.split(separator: ".").last.map(String.init) ?? kind.rawValue
        }
    }
}
