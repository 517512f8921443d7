internal import FoundationEssentials
internal import MasterKit

/// Writes events as JSON lines, each with the format version, the event, its time in milliseconds
/// since 1970, the id of its build, and its record; ``schema`` describes them.
struct EventLines: Sendable {
    /// Incremented by changes that a reader of the older format would misread.
    private static let version = 1

    /// The kinds of events to write.
    let kinds: Set<EventKind>
    private let console: Console

    /// Creates a writer; optionally, it also writes the lines of logs.
    init(_ console: Console, withOutput: Bool) {
        self.console = console
        kinds = Set(Self.kinds.filter { withOutput || $0 != .logAppended })
    }

    /// The kinds of events that become lines: all but those that only say what others say in full.
    private static let kinds = EventKind.allCases.filter { $0 != .logGrown }

    /// Writes events until the sequence ends.
    func write(_ events: EventSubscription) async {
        for await delivery in events {
            switch delivery {
            case .missed(let count):
                await console.print(
                    Self.line("events.missed", at: Date(), ["count": .int(count)]))
            case .event(let event):
                await console.print(
                    Self.line(
                        event.kind.rawValue, at: event.at, of: event.buildID, event.record))
            }
        }
    }

    /// Formats one line.
    static func line(
        _ event: String, at time: Date, of build: Int? = nil, _ record: JSONObject
    ) -> String {
        let milliseconds = Int((time.timeIntervalSince1970 * 1000).rounded())
        let line = JSONWriter.compact.string([
            "formatVersion": .int(version), "event": .string(event), "at_ms": .int(milliseconds),
            "buildid": .optional(build), "record": .object(record),
        ])
        // The same value, but not a command for GitHub's log viewer.
        return line.replacing("##[", with: "\\u0023#[")
    }
}

extension EventLines {
    /// The JSON Schema of a line.
    static let schema: JSONValue = [
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line written by buildmaster run --json",
        "type": "object",
        "required": ["formatVersion", "event", "at_ms", "buildid", "record"],
        "additionalProperties": false,
        "properties": [
            "formatVersion": ["const": .int(version)],
            "event": ["type": "string"],
            "at_ms": ["description": "milliseconds since 1970", "type": "integer"],
            "buildid": ["description": "the build that the event is about", "type": optionalID],
            "record": ["type": "object"],
        ],
        "oneOf": .array(
            kinds.map { form(of: $0.rawValue, record(of: $0)) } + [
                form(of: "events.missed", missed), form(of: "run.finished", outcome),
            ]),
    ]

    private static let optionalID: JSONValue = ["integer", "null"]
    private static let id: JSONValue = ["type": "integer"]
    private static let text: JSONValue = ["type": "string"]
    private static let flag: JSONValue = ["type": "boolean"]
    private static let time: JSONValue = [
        "description": "seconds since 1970", "type": optionalID,
    ]
    private static let results: JSONValue = [
        "description": "a result by its code; null or -1 before the end",
        "enum": .array([.null, .int(-1)] + Results.allCases.map { .int($0.rawValue) }),
    ]
    private static let properties: JSONValue = [
        "description": "each property's value and source", "type": ["object", "null"],
        "additionalProperties": ["type": "array", "minItems": 2, "maxItems": 2],
    ]

    private static func form(of event: String, _ record: JSONValue) -> JSONValue {
        ["properties": ["event": ["const": .string(event)], "record": record]]
    }

    /// An object with these members, and maybe more.
    private static func object(_ members: JSONObject) -> JSONValue {
        [
            "type": "object", "required": .array(members.map { .string($0.key) }),
            "properties": .object(members),
        ]
    }

    private static let missed = object(["count": ["type": "integer", "minimum": 1]])

    private static let outcome = object([
        "results": results, "result_name": ["type": ["string", "null"]], "builds": id,
        "duration_ms": id, "interruption": ["type": ["string", "null"]],
        "unimportant_builds": [
            "description": "the builds whose results do not count", "type": "array", "items": id,
        ],
        "not_reached": [
            "description": "the names of the steps that each build ended before",
            "type": "array", "items": object(["buildid": id, "steps": ["type": "array"]]),
        ],
        "reports_delivered": id, "reports_kept": id,
    ])

    private static func record(of kind: EventKind) -> JSONValue {
        switch kind.record {
        case .buildset:
            object([
                "bsid": id, "reason": text, "submitted_at": time, "complete": flag,
                "complete_at": time, "results": results, "sourcestamps": ["type": "array"],
            ])
        case .buildrequest:
            object([
                "buildrequestid": id, "buildsetid": id, "builderid": id, "priority": id,
                "claimed": flag, "complete": flag, "results": results, "submitted_at": time,
                "complete_at": time,
            ])
        case .build:
            object([
                "buildid": id, "number": id, "builderid": id, "buildrequestid": id,
                "started_at": time, "complete_at": time, "complete": flag, "state_string": text,
                "results": results, "properties": properties,
                "builder": object(["builderid": id, "name": text, "tags": ["type": "array"]]),
            ])
        case .step:
            object([
                "stepid": id, "buildid": id, "number": id, "name": text, "started_at": time,
                "complete_at": time, "complete": flag, "state_string": text, "results": results,
                "hidden": flag,
            ])
        case .log where kind == .logAppended:
            object([
                "logid": id, "stepid": id,
                "content": [
                    "description": "whole lines, each after o, e or h: output, errors, master",
                    "type": "string",
                ],
            ])
        case .log:
            object([
                "logid": id, "stepid": id, "name": text, "slug": text, "type": text,
                "complete": flag, "num_lines": id,
            ])
        case .properties, .worker, .scheduler: ["type": "object"]
        }
    }
}
