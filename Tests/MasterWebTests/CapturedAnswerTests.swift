import GRDB
import MasterKit
import MasterRuntime
import Testing

@testable import MasterWeb

/// Compares answers with those of Buildbot to the same requests, from the same records.
struct CapturedAnswerTests {
    /// Where an answer may differ, and why. Everything else must be equal.
    static let exceptions: [String: String] = [
        "GET-builders": "no projects",
        "GET-builders_ID": "no projects",
        "GET-builders_runtests": "no projects",
        "GET-masters_1_builders": "no projects",
        "Q-order": "no projects",
        "GET-buildsets": "a source stamp of its own for each buildset",
        "GET-buildsets_ID": "a source stamp of its own for each buildset",
        "GET-buildsets_ID_sourcestamps": "a source stamp of its own for each buildset",
        "Q-buildsets-complete": "a source stamp of its own for each buildset",
        "GET-sourcestamps": "a source stamp of its own for each buildset",
        "GET-sourcestamps_ID": "a source stamp of its own for each buildset",
        "Q-changes-limit": "a change has been added since",
        "GET-builders_ID_workers": "every worker is configured for every builder",
        "GET-workers": "every worker is configured for every builder",
        "GET-workers_1": "every worker is configured for every builder",
        "GET-workers_2": "every worker is configured for every builder",
        "GET-workers_w-one": "every worker is configured for every builder",
        "GET-builders_ID_workers_w-one": "every worker is configured for every builder",
        "Q-worker-name-filter": "every worker is configured for every builder",
        "GET-workers_1_builders": "every worker is configured for every builder",
        "GET-masters_1_workers": "every worker is configured for every builder",
        "GET-builders_ID_forceschedulers": "other parameters",
        "GET-forceschedulers": "other parameters",
        "GET-forceschedulers_force": "other parameters",
        "GET-schedulers": "other schedulers",
        "GET-schedulers_1": "other schedulers",
        "GET-masters_1_schedulers": "other schedulers",
        "GET-masters": "another name and time",
        "GET-masters_1": "another name and time",
        "GET-builders_ID_masters": "another name and time",
        "GET-builders_ID_masters_1": "another name and time",
        "E-accept-html": "another name and time",
        "E-accept-none": "another name and time",
        "E-HEAD": "no projects",
    ]

    /// What this master has none of, or answers better; each is tested by itself.
    static let others: [String: String] = [
        "GET-builders_ID_workers_1": "every worker is configured for every builder",
        "GET-builds_ID_data": "no data of builds",
        "GET-builds_ID_data_cov": "no data of builds",
        "GET-builds_ID_data_cov_value": "no data of builds",
        "GET-builders_ID_builds_2_data": "no data of builds",
        "GET-projects": "no projects",
        "GET-projects_1": "no projects",
        "GET-projects_1_builders": "no projects",
        "GET-projects_proj1": "no projects",
        "GET-codebases": "no codebases",
        "GET-codebases_1": "no codebases",
        "GET-codebases_1_branches": "no codebases",
        "GET-codebases_1_commits": "no codebases",
        "GET-changesources": "no change sources",
        "GET-changesources_1": "no change sources",
        "GET-masters_1_changesources": "no change sources",
        "GET-changes_ID_properties_list": "Buildbot fails",
        "Q-eq-null": "null can be filtered for",
        "Q-unknown-op": "an unknown comparison is an error",
        "Q-logs-limit0": "no lines are no error",
    ]

    @Test func `answers are those of Buildbot`() async throws {
        try await withMaster(CapturedAnswers.configuration) { master, api in
            try CapturedAnswers.all.fill(master.basedir)
            for captured in CapturedAnswers.all.answers
            where captured.method != "POST" && Self.others[captured.name] == nil {
                try await compare(captured, with: api)
            }
        }
    }

    private func compare(_ captured: CapturedAnswers.Answer, with api: DataAPI) async throws {
        let answer = await api.send(
            captured.method, captured.path.replacing("%20", with: " "),
            acceptsJSON: captured.record["requestHeaders"] == nil)
        let name = captured.name
        #expect(answer.status == captured.status, "\(name): \(answer.text)")
        let type = answer.headers.first { $0.name == "content-type" }?.value
        #expect(type == captured.type, "\(name)")
        guard captured.record["text"] == nil || captured.method == "HEAD" else {
            let text = try await answer.wholeText()
            #expect(text == captured.text("text"), "\(name)")
            let disposition = answer.headers.first { $0.name == "content-disposition" }?.value
            #expect(disposition ?? "" == captured.text("disposition"), "\(name)")
            return
        }
        let body = try JSONValue(parsing: answer.bytes)
        if captured.body["error"] == "not found" {
            #expect(body["error"]?.stringValue?.hasPrefix("not found") == true, "\(name)")
        } else if Self.exceptions[name] == nil {
            // The total is that of all pages.
            let total = captured.path.contains("limit") || captured.path.contains("offset")
            #expect(body.comparable(total) == captured.body.comparable(total), "\(name)")
        } else if let plural = captured.body.objectValue?.keys.first(where: { $0 != "meta" }) {
            #expect(body[plural]?[0] != nil, "\(name)")
        }
        checkTypes(body, name)
    }

    /// Every record has the fields and types of the captured specification.
    private func checkTypes(_ body: JSONValue, _ name: String) {
        for (plural, rows) in body.objectValue ?? [:] where plural != "meta" && plural != "error" {
            let path = CapturedAnswers.all.paths.first { $0[1]?.stringValue == plural }
            let type = CapturedAnswers.all.types[path?[2]?.stringValue ?? ""] ?? .null
            for row in rows.arrayValue ?? [] where !name.contains("field") && !name.hasPrefix("Q-g")
            {
                let faults = CapturedAnswers.all.faults(of: row, as: type, at: plural)
                #expect(faults == [], "\(name)")
            }
        }
    }

    @Test func `the specification lists the same paths and types`() async throws {
        try await withMaster(CapturedAnswers.configuration) { _, api in
            let specs = try await api.get("application.spec")["specs"]?.arrayValue ?? []
            #expect(
                specs.map { [$0["path"], $0["plural"], $0["type"]] }
                    == CapturedAnswers.all.paths.map { [$0[0], $0[1], $0[2]] })
            for spec in specs {
                let type = spec["type"]?.stringValue ?? ""
                #expect(spec["type_spec"] == CapturedAnswers.all.types[type], "\(type)")
            }
        }
    }

    @Test(arguments: [
        ("builds?results=null", #"{"builds":[],"meta":{"total":0}}"#),
        ("builds?results__eq=null&limit=1", #"{"builds":[],"meta":{"total":0}}"#),
        (
            "builds?limit=2&field=buildid",
            #"{"builds":[{"buildid":1},{"buildid":2}],"meta":{"total":18}}"#
        ),
        ("builds?offset=17&field=buildid", #"{"builds":[{"buildid":18}],"meta":{"total":18}}"#),
        ("logs/7/contents?limit=0&field=content", #"{"logchunks":[{"content":""}],"meta":{}}"#),
        (
            "changes?limit=2&order=-changeid&field=changeid&changeid__lt=17",
            #"{"changes":[{"changeid":16},{"changeid":15}],"meta":{"total":16}}"#
        ),
        (
            "changes?project=proj&branch=main&field=project&field=branch&field=changeid",
            #"{"changes":[{"branch":"main","changeid":1,"project":"proj"}],"meta":{"total":1}}"#
        ),
        (
            "changes?files__contains=b.c&field=files",
            #"{"changes":[{"files":["a.c","b.c"]}],"meta":{"total":1}}"#
        ),
        (
            "changes?order=when_timestamp&limit=1&field=changeid&field=when_timestamp",
            #"{"changes":[{"changeid":14,"when_timestamp":1338350336}],"meta":{"total":17}}"#
        ),
        (
            "changes/1/properties_list",
            #"{"_properties":[{"name":"p","source":"Change","value":"1"}],"meta":{"total":1}}"#
        ),
        ("projects?active=true", #"{"meta":{"total":0},"projects":[]}"#),
        ("builds/3/data", #"{"build_data":[],"meta":{"total":0}}"#),
        ("builds/3/changes", #"{"changes":[],"meta":{"total":0}}"#),
        (
            "builds?started_at__lt=1795832938&field=buildid&field=started_at",
            #"{"builds":[{"buildid":1,"started_at":1795832937}],"meta":{"total":1}}"#
        ),
        (
            "builds?started_at__le=1795832938&started_at__ne=1795832937&field=buildid&field=started_at",
            #"{"builds":[{"buildid":2,"started_at":1795832938}],"meta":{"total":1}}"#
        ),
        (
            "builds?field=buildid&field=results&order=-results&order=-buildid&limit=1",
            #"{"builds":[{"buildid":11,"results":6}],"meta":{"total":18}}"#
        ),
    ])
    func `what Buildbot answers oddly is answered well`(
        address: String, expected: String
    ) async throws {
        try await withMaster(CapturedAnswers.configuration) { master, api in
            try CapturedAnswers.all.fill(master.basedir)
            #expect(await api.send("GET", address).text == expected)
        }
    }

    @Test func `a force form is that of Buildbot, but for its patch and parameters`() async throws {
        try await withMaster(CapturedAnswers.configuration) { _, api in
            let ours = try await api.get("forceschedulers/force")["forceschedulers"]?[0]
            let captured = CapturedAnswers.all.rows("GET-forceschedulers_force")[0]
            for key in ["builder_names", "button_name", "enabled", "label", "name"] {
                #expect(ours?[key] == captured[key], "\(key)")
            }
            let fields = ours?["all_fields"]?.arrayValue ?? []
            func names(_ form: JSONValue?, _ index: Int) -> [JSONValue] {
                form?["all_fields"]?[index]?["fields"]?.arrayValue?.compactMap { $0["fullName"] }
                    ?? []
            }
            #expect(names(ours, 0) == names(captured, 0))
            #expect(names(ours, 1) == names(captured, 1).filter { $0 != "patch" })
            for field in fields.dropFirst(2) {
                let other = captured["all_fields"]?.arrayValue?.first {
                    $0["name"] == field["name"]
                }
                var (field, expected) = (field.objectValue, other?.objectValue)
                // Parameters have no such settings here.
                field?["tooltip"] = nil
                expected?["tooltip"] = nil
                #expect(field == expected)
            }
            #expect(fields.count == 7)
        }
    }

    /// What the pages of the stock web page ask for, and how SQLite finds the rows.
    @Test(arguments: [
        ("order=-buildid&complete=true&limit=20", "SCAN build"),
        ("order=-started_at&complete=false", "SCAN build USING INDEX build_running"),
        (
            "limit=200&order=-started_at&builderid__eq=1&builderid__eq=2",
            "SEARCH build USING COVERING INDEX build_fields (builder_id=?)"
        ),
        (
            "builderid=3&limit=200&order=-number",
            "SEARCH build USING COVERING INDEX sqlite_autoindex_build_1 (builder_id=?)"
        ),
        (
            "builderid=3&number__eq=1&number__eq=2",
            "SEARCH build USING COVERING INDEX sqlite_autoindex_build_1 (builder_id=? AND number=?)"
        ),
        (
            "buildrequestid__eq=3",
            "SEARCH build USING COVERING INDEX build_request_builds (request_id=?)"
        ),
        (
            "workerid=1&workerid=2&limit=50&order=-buildid",
            "SEARCH build USING COVERING INDEX build_worker (worker_id=?)"
        ),
        ("limit=100&order=-started_at", "SCAN build USING COVERING INDEX build_started"),
    ])
    func `no page of the stock web page scans all builds`(
        query: String, expected: String
    ) async throws {
        try await withMaster(CapturedAnswers.configuration) { _, api in
            let items = query.split(separator: "&").map { item in
                let pair = item.split(separator: "=")
                return (name: String(pair[0]), value: String(pair[1]))
            }
            let builds = TableQuery(
                try DataQuery(items, of: Resource.build), table: "build", isItem: false)
            let (sql, arguments) = (
                builds.statement("LIMIT 200", explaining: true), builds.arguments
            )
            let plan = try await api.readers.read { database in
                try Row.fetchAll(database, sql: sql, arguments: arguments).map { $0[3] as String }
            }
            let inner = plan.firstIndex { $0.hasPrefix("LIST SUBQUERY") } ?? 0
            #expect(plan.count > inner + 1 && plan[inner + 1] == expected, "\(plan)")
            // Rows in the order of their ids are read until there are enough of them.
            #expect(expected != "SCAN build" || !plan.contains("USE TEMP B-TREE FOR ORDER BY"))
        }
    }

    @Test func `a page of changes is found without reading all`() async throws {
        try await withMaster(CapturedAnswers.configuration) { _, api in
            for (items, expected) in [
                ([("order", "-changeid")], "SCAN change"),
                ([("order", "-changeid"), ("project", "p")], "SCAN change"), ([], "SCAN change"),
            ] {
                let changes = TableQuery(
                    try DataQuery(items.map { (name: $0, value: $1) }, of: Resource.change),
                    table: "change", isItem: false)
                let (sql, arguments) = (
                    changes.statement("LIMIT 50", explaining: true), changes.arguments
                )
                let plan = try await api.readers.read { database in
                    try Row.fetchAll(database, sql: sql, arguments: arguments).map {
                        $0[3] as String
                    }
                }
                let inner = plan.firstIndex { $0.hasPrefix("LIST SUBQUERY") } ?? 0
                #expect(plan.dropFirst(inner + 1).first == expected, "\(plan)")
                #expect(!plan.contains("USE TEMP B-TREE FOR ORDER BY"), "\(plan)")
            }
        }
    }

    @Test(arguments: [
        "builds?results__zz=1", "builds?complete__lt=1", "builders?tags=docs",
        "builds?properties=x", "changes?properties=x",
    ])
    func `what cannot be compared is an error`(address: String) async throws {
        try await withMaster(CapturedAnswers.configuration) { _, api in
            let answer = await api.send("GET", address)
            #expect(answer.status == 400, "\(answer.text)")
        }
    }
}

extension JSONValue {
    /// The body of an answer, perhaps without its total.
    fileprivate func comparable(_ withoutTotal: Bool) -> JSONValue {
        var copy = self
        if let list = self["_properties"]?.arrayValue {
            // They are in the order in which they were set.
            copy["_properties"] = .array(list.sorted { "\($0)" < "\($1)" })
        }
        if let changes = self["changes"]?.arrayValue {
            // Each has a source stamp of its own.
            copy["changes"] = .array(
                changes.map { change in
                    var change = change
                    change["sourcestamp"]?["ssid"] = nil
                    return change
                })
        }
        guard withoutTotal else { return copy }
        copy["meta"] = nil
        return copy
    }
}

extension DataAnswer {
    /// The body, of a stream, too.
    func wholeText() async throws -> String {
        guard case .stream(let log) = body else { return text }
        var bytes: [UInt8] = []
        for try await piece in log { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }
}
