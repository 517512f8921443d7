import Foundation
import GRDB
import MasterKit
import Testing

@testable import MasterWeb

/// Requests and the answers that Buildbot 4.3.0 gave, and the store from which it gave them.
struct CapturedAnswers: Sendable {
    /// One request with its answer.
    struct Answer: Sendable, CustomTestStringConvertible {
        let record: JSONValue

        var name: String { text("name") }
        var method: String { text("method") }
        var path: String { text("path") }
        var status: Int { record["status"]?.intValue ?? 0 }
        var type: String { text("type") }
        var body: JSONValue { record["body"] ?? .null }
        var testDescription: String { name }

        func text(_ key: String) -> String { record[key]?.stringValue ?? "" }
    }

    let answers: [Answer]
    /// The types of records by name, as the specification describes them.
    let types: JSONValue
    /// The paths of the specification, with their plural names and types.
    let paths: [JSONValue]
    /// The keys of the bodies of messages by path, with `N` for each number; none for properties.
    let messages: JSONObject

    static let all = CapturedAnswers()

    private init() {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/captured.json")
        do {
            let json = try JSONValue(parsing: [UInt8](Data(contentsOf: file)))
            answers = (json["answers"]?.arrayValue ?? []).map { Answer(record: $0) }
            types = json["types"] ?? .null
            paths = json["paths"]?.arrayValue ?? []
            messages = json["messages"]?.objectValue ?? [:]
        } catch {
            preconditionFailure("\(file.path) cannot be read: \(error)")
        }
    }

    func rows(_ name: String) -> [JSONValue] {
        let body = answers.first { $0.name == name }?.body.objectValue ?? [:]
        return body.first { $0.key != "meta" }?.value.arrayValue ?? []
    }

    /// The file of a master with the builders of the captures.
    static let configuration = """
        builders:
          - {name: Janitor, steps: [steps.ShellCommand: {command: 'true'}]}
          - {name: docs, tags: [docs], steps: [steps.ShellCommand: {command: 'true'}]}
          - name: runtests
            description: Runs *tests*
            tags: [linux, fast]
            steps: [steps.ShellCommand: {command: 'true'}]
          - {name: slow, steps: [steps.ShellCommand: {command: 'true'}]}
        schedulers:
          - schedulers.ForceScheduler:
              name: force
              label: My Force
              buttonName: force it
              builderNames: [runtests, docs, slow]
              properties:
                - util.StringParameter: {name: s1, label: String, default: d, required: true}
                - util.IntParameter: {name: count, label: Count, default: 20}
                - util.BooleanParameter: {name: b1, label: Flag, default: true}
                - util.ChoiceStringParameter: {name: ch, label: Choice, choices: [x, y], default: y}
                - util.FixedParameter: {name: fx, default: fixed}
        """

    // MARK: The store

    /// Writes the captured records to the store of a master that has built nothing.
    func fill(_ folder: String) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue(
            path: folder + "/buildmaster.sqlite", configuration: configuration)
        try database.write { database in
            try fillChanges(database)
            try fillRequests(database)
            // Change 1 was built by request 13.
            try database.execute(
                sql: """
                    INSERT INTO buildset_change
                    SELECT buildset_id, 1 FROM build_request WHERE id = 13
                    """)
            try fillBuilds(database)
        }
        try database.close()
        for (id, kind) in [(7, "s"), (8, "t")] {
            let name =
                id == 7 ? "GET-builds_ID_steps_1_logs_stdio_contents" : "GET-logs_ID_contents"
            let content = rows(name)[0]["content"]?.stringValue ?? ""
            let lines = content.split(separator: "\n").map { kind == "s" ? "\($0)\n" : "o\($0)\n" }
            try lines.joined().write(
                toFile: "\(folder)/logs/\(id).log", atomically: true, encoding: .utf8)
        }
    }

    /// Each change has a source stamp of its own here, so that only the newest keep their ids.
    private func fillChanges(_ database: Database) throws {
        var used: Set<Int> = []
        for row in rows("GET-changes") {
            let stamp = row["sourcestamp"] ?? .null
            let own = stamp.int("ssid") ?? 0
            let id = used.insert(own).inserted ? own : 100 + (row.int("changeid") ?? 0)
            try database.execute(
                sql: """
                    INSERT INTO source_stamp (id, branch, revision, repository, project, codebase,
                        created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    id, stamp.text("branch"), stamp.text("revision"), stamp.text("repository"),
                    stamp.text("project"), stamp.text("codebase"), stamp.time("created_at"),
                ])
            let properties = JSONObject(
                (row["properties"]?.objectValue ?? [:]).map { ($0.key, $0.value[0] ?? .null) })
            try database.execute(
                sql: """
                    INSERT INTO change (id, source_stamp_id, parent_id, author, committer,
                        comments, files, revlink, category, when_timestamp, properties)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    row.int("changeid"), id, row["parent_changeids"]?[0]?.intValue,
                    row.text("author"), row.text("committer"), row.text("comments"),
                    "\(row["files"] ?? [])", row.text("revlink"), row.text("category"),
                    row.time("when_timestamp"), JSONWriter.compact.string(.object(properties)),
                ])
        }
    }

    private func fillRequests(_ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO worker (id, name)
                VALUES (1, 'Janitor'), (2, 'w-absent'), (3, 'w-one');
                """)
        for row in rows("GET-buildsets") {
            let properties = row["bsid"] == 19 ? #"{"scheduler":["main","Scheduler"]}"# : "{}"
            try database.execute(
                sql: """
                    INSERT INTO buildset (id, reason, submitted_at, complete_at, results,
                        parent_build_id, parent_relationship, rebuilt_build_id, properties)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    row.int("bsid"), row.text("reason"), row.time("submitted_at"),
                    row.time("complete_at"), row.int("results"), row.int("parent_buildid"),
                    row.text("parent_relationship"), row.int("rebuilt_buildid"), properties,
                ])
            for stamp in row["sourcestamps"]?.arrayValue ?? [] {
                try database.execute(
                    sql: """
                        INSERT INTO source_stamp (buildset_id, branch, revision, repository,
                            project, codebase, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        row.int("bsid"), stamp.text("branch"), stamp.text("revision"),
                        stamp.text("repository"), stamp.text("project"), stamp.text("codebase"),
                        stamp.time("created_at"),
                    ])
            }
        }
        for row in rows("GET-buildrequests") {
            try database.execute(
                sql: """
                    INSERT INTO build_request (id, buildset_id, builder_id, priority, submitted_at,
                        claimed_at, complete_at, results, waited_for)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    row.int("buildrequestid"), row.int("buildsetid"), row.int("builderid"),
                    row.int("priority"), row.time("submitted_at"), row.time("claimed_at"),
                    row.time("complete_at"), row.int("results"), row["waited_for"] == true,
                ])
        }
    }

    private func fillBuilds(_ database: Database) throws {
        let properties = [
            3: rows("GET-builds_ID_properties")[0],
            18: rows("Q-property-one")[0]["properties"] ?? .null,
        ]
        for row in rows("GET-builds") {
            let id = row.int("buildid")
            try database.execute(
                sql: """
                    INSERT INTO build (id, builder_id, number, request_id, worker_id, started_at,
                        complete_at, results, state_string, properties)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    id, row.int("builderid"), row.int("number"), row.int("buildrequestid"),
                    row.int("workerid"), row.time("started_at"), row.time("complete_at"),
                    row.int("results"), row.text("state_string"),
                    "\(properties[id ?? 0] ?? [:])",
                ])
        }
        for row in rows("GET-builds_ID_steps") {
            try database.execute(
                sql: """
                    INSERT INTO step (id, build_id, number, name, started_at, complete_at, results,
                        state_string, hidden, locks_acquired_at, urls)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    row.int("stepid"), row.int("buildid"), row.int("number"), row.text("name"),
                    row.time("started_at"), row.time("complete_at"), row.int("results"),
                    row.text("state_string"), row["hidden"] == true, row.time("locks_acquired_at"),
                    row["urls"].map { "\($0)" },
                ])
        }
        for row in rows("GET-steps_ID_logs") + rows("GET-logs_ID") {
            let id = row.int("logid")
            try database.execute(
                sql: """
                    INSERT INTO log (id, step_id, name, slug, kind, complete, line_count, path)
                    VALUES (?, ?, ?, ?, ?, 1, ?, ?)
                    """,
                arguments: [
                    id, row.int("stepid"), row.text("name"), row.text("slug"), row.text("type"),
                    row.int("num_lines"), "logs/\(id ?? 0).log",
                ])
        }
    }

    // MARK: Types

    /// What is wrong with a value by the type that the captured specification gives it.
    func faults(of value: JSONValue, as type: JSONValue, at place: String) -> [String] {
        if value.isNull {
            // A committer may be null, whatever the specification says.
            let isNullable = type["can_be_null"] == true || place.hasSuffix(".committer")
            return isNullable ? [] : ["\(place) is null"]
        }
        if let fields = type["fields"]?.arrayValue {
            let names = fields.compactMap { $0["name"]?.stringValue }.sorted()
            guard let object = value.objectValue, object.keys.sorted() == names else {
                return [
                    "\(place) has the keys \(value.objectValue?.keys ?? []) instead of \(names)"
                ]
            }
            return fields.flatMap { field in
                let name = field["name"]?.stringValue ?? ""
                return faults(
                    of: value[name] ?? .null, as: field["type_spec"] ?? .null,
                    at: "\(place).\(name)")
            }
        }
        if let element = type["of"] {
            guard let elements = value.arrayValue else { return ["\(place) is not a list"] }
            return elements.flatMap { faults(of: $0, as: element, at: place + "[]") }
        }
        let isRight =
            switch type["name"]?.stringValue {
            case "integer", "datetime": value.intValue != nil
            case "string", "identifier": value.stringValue != nil
            case "boolean": value.boolValue != nil
            case "sourcedproperties":
                value.objectValue?.allSatisfy { $0.value[1]?.stringValue != nil }
                    ?? false
            case "jsonobject": true
            default: false
            }
        return isRight ? [] : ["\(place) is \(value), not \(type)"]
    }
}

extension JSONValue {
    fileprivate func int(_ key: String) -> Int? { self[key]?.intValue }
    fileprivate func text(_ key: String) -> String? { self[key]?.stringValue }
    /// A time with a fraction, which answers leave out.
    fileprivate func time(_ key: String) -> Double? { int(key).map { Double($0) + 0.75 } }
}
