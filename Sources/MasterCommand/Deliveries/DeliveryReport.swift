internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// Deliveries for machines.
enum DeliveryReport {
    /// Grows by one whenever a reader of the older form would misread the newer one.
    static let formatVersion = 1

    /// The object that lists deliveries, page by page, and then the endpoints that are closed.
    struct List {
        private var isEmpty = true

        /// The lines before the first delivery.
        static let head = ["{", "  \"formatVersion\": \(formatVersion),", "  \"deliveries\": ["]

        /// The lines of some more deliveries.
        mutating func lines(_ deliveries: [DeliveryRecord]) -> [String] {
            deliveries.flatMap { delivery in
                var lines = JSONWriter.pretty.string(.object(delivery.json)).lines
                lines[0] = (isEmpty ? "" : ",") + lines[0]
                isEmpty = false
                return lines.map { "    " + $0 }
            }
        }

        /// The lines after the last delivery.
        func end(closed: [ReporterRecord]) -> [String] {
            let closed = JSONValue.array(
                closed.map { reporter in
                    [
                        "reporter": .string(reporter.name),
                        "at": .optional(reporter.closedAt?.ISO8601Format()),
                        "reason": .optional(reporter.closedReason),
                    ]
                })
            var lines = JSONWriter.pretty.string(closed).lines
            lines[0] = "\"closed\": " + lines[0]
            return ["  ],"] + lines.map { "  " + $0 } + ["}"]
        }
    }

    /// One delivery with its body and tries.
    static func details(_ details: DeliveryDetails) -> JSONValue {
        var object = details.record.json
        object["webhookID"] = .string(details.webhookID)
        switch details.body {
        case .json(let value):
            object["contentType"] = "application/json"
            object["body"] = value
        case .text(let text, let contentType):
            object["contentType"] = .string(contentType)
            object["body"] = .string(text)
        case .empty, nil:
            object["contentType"] = .null
            object["body"] = .null
        }
        object["tries"] = .array(details.tries.map { .object($0.json) })
        return ["formatVersion": .int(formatVersion), "delivery": .object(object)]
    }
}

extension DeliveryRecord {
    fileprivate var json: JSONObject {
        [
            "id": .int(id), "reporter": .string(reporter), "report": .string(subject),
            "event": .optional(event), "builder": .optional(builder),
            "number": .optional(buildNumber), "state": .string(state.rawValue),
            "tries": .int(attempts), "status": .optional(status),
            "since": .string(since.ISO8601Format()),
            "nextTry": .optional(nextTry?.ISO8601Format()), "error": .optional(error),
            "bytes": .int(byteCount),
        ]
    }
}

extension DeliveryTry {
    fileprivate var json: JSONObject {
        [
            "number": .int(number), "at": .string(at.ISO8601Format()),
            "seconds": .double(duration / .seconds(1)), "status": .optional(status),
            "error": .optional(error), "answer": .optional(answer),
        ]
    }
}
