internal import MasterKit

/// The kinds of records in the data API.
extension Resource {
    static let all: [Resource] = [
        rootlink, spec, branch, builder, forcescheduler, buildrequest, build, change, buildData,
        properties, step, log, logchunk, master, testResultSet, worker, property, buildset,
        sourcestamp, changesource, codebase, commitGraph, commit, scheduler, project, testResult,
    ]

    // MARK: Rows of the store

    static let build = Resource(
        "build", "builds", table: "build",
        [
            Field("buildid", .integer, .value("build.id")),
            Field("number", .integer, .value("build.number")),
            Field("builderid", .integer, .value("build.builder_id")),
            Field("buildrequestid", .integer, .value("build.request_id")),
            Field("workerid", .integer, .value("build.worker_id")),
            Field("masterid", .integer, .value("1")),
            Field("started_at", .datetime, .time("build.started_at")),
            Field("complete", .boolean, .isSet("build.complete_at")),
            Field("complete_at", .optional(.datetime), .time("build.complete_at")),
            Field("locks_duration_s", .integer, .value("CAST(build.locks_duration AS INTEGER)")),
            Field("results", .optional(.integer), .value("build.results")),
            // As Buildbot says it of a build that has begun; stored is what its first event says.
            Field(
                "state_string", .string,
                .value(
                    """
                    iif(build.complete_at IS NULL AND build.state_string = 'starting', \
                    'building', build.state_string)
                    """)),
            Field(
                "properties", .optional(.properties),
                .properties(
                    "build.properties",
                    changed: """
                        (SELECT json_group_array(json_array(name, json(value), source))
                        FROM build_property WHERE build_id = build.id)
                        """)),
        ])

    static let step = Resource(
        "step", "steps", table: "step",
        [
            Field("stepid", .integer, .value("step.id")),
            Field("number", .integer, .value("step.number")),
            Field("name", .identifier, .value("step.name")),
            Field("buildid", .integer, .value("step.build_id")),
            Field("started_at", .optional(.datetime), .time("step.started_at")),
            Field("locks_acquired_at", .optional(.datetime), .time("step.locks_acquired_at")),
            Field("complete", .boolean, .isSet("step.complete_at")),
            Field("complete_at", .optional(.datetime), .time("step.complete_at")),
            Field("results", .optional(.integer), .value("step.results")),
            Field("state_string", .string, .value("step.state_string")),
            Field(
                "urls",
                .list(.record("Url", [Field("name", .string), Field("url", .string)])),
                .json("ifnull(step.urls, '[]')")),
            Field("hidden", .boolean, .condition("step.hidden", not: "NOT step.hidden")),
        ])

    static let log = Resource(
        "log", "logs", table: "log",
        [
            Field("logid", .integer, .value("log.id")),
            Field("name", .string, .value("log.name")),
            Field("slug", .identifier, .value("log.slug")),
            Field("stepid", .integer, .value("log.step_id")),
            Field("complete", .boolean, .condition("log.complete", not: "NOT log.complete")),
            Field("num_lines", .integer, .value("log.line_count")),
            Field("type", .identifier, .value("log.kind")),
        ])

    static let buildrequest = Resource(
        "buildrequest", "buildrequests", table: "build_request",
        [
            Field("buildrequestid", .integer, .value("build_request.id")),
            Field("buildsetid", .integer, .value("build_request.buildset_id")),
            Field("builderid", .integer, .value("build_request.builder_id")),
            Field("priority", .integer, .value("build_request.priority")),
            Field(
                "claimed", .boolean,
                .condition(
                    """
                    (build_request.claimed_at IS NOT NULL OR build_request.complete_at IS NOT NULL)
                    """,
                    not: "build_request.claimed_at IS NULL AND build_request.complete_at IS NULL")),
            Field("claimed_at", .optional(.datetime), .time("build_request.claimed_at")),
            Field(
                "claimed_by_masterid", .optional(.integer),
                .value("CASE WHEN build_request.claimed_at IS NULL THEN NULL ELSE 1 END")),
            Field("complete", .boolean, .isSet("build_request.complete_at")),
            Field("results", .optional(.integer), .value("ifnull(build_request.results, -1)")),
            Field("submitted_at", .datetime, .time("build_request.submitted_at")),
            Field("complete_at", .optional(.datetime), .time("build_request.complete_at")),
            Field(
                "waited_for", .boolean,
                .condition("build_request.waited_for", not: "NOT build_request.waited_for")),
            Field(
                "properties", .optional(.properties),
                .properties(
                    "(SELECT properties FROM buildset WHERE id = build_request.buildset_id)",
                    changed: nil)),
        ])

    static let sourcestamp = Resource(
        "sourcestamp", "sourcestamps", table: "source_stamp",
        [
            Field("ssid", .integer, .value("source_stamp.id")),
            Field("revision", .optional(.string), .value("source_stamp.revision")),
            Field("branch", .optional(.string), .value("source_stamp.branch")),
            Field("repository", .string, .value("source_stamp.repository")),
            Field("project", .string, .value("source_stamp.project")),
            Field("codebase", .string, .value("source_stamp.codebase")),
            Field("patch", .optional(.record("patch", patchFields)), .json("'null'")),
            Field("created_at", .datetime, .time("source_stamp.created_at")),
        ])

    static let buildset = Resource(
        "buildset", "buildsets", table: "buildset",
        [
            Field("bsid", .integer, .value("buildset.id")),
            Field("external_idstring", .optional(.string)),
            Field("reason", .string, .value("buildset.reason")),
            Field("rebuilt_buildid", .optional(.integer), .value("buildset.rebuilt_build_id")),
            Field("submitted_at", .integer, .time("buildset.submitted_at")),
            Field("complete", .boolean, .isSet("buildset.complete_at")),
            Field("complete_at", .optional(.integer), .time("buildset.complete_at")),
            Field("results", .optional(.integer), .value("ifnull(buildset.results, -1)")),
            Field(
                "sourcestamps", .list(.record("sourcestamp", sourcestamp.fields)),
                .json(
                    """
                    (SELECT json_group_array(\(sourceStampObject))
                    FROM (SELECT * FROM source_stamp WHERE buildset_id = buildset.id ORDER BY id))
                    """)),
            Field("parent_buildid", .optional(.integer), .value("buildset.parent_build_id")),
            Field(
                "parent_relationship", .optional(.string), .value("buildset.parent_relationship")),
        ])

    /// A row of `source_stamp` as JSON.
    private static let sourceStampObject = """
        json_object('branch', branch, 'codebase', codebase,
            'created_at', CAST(created_at AS INTEGER), 'patch', NULL, 'project', project,
            'repository', repository, 'revision', revision, 'ssid', id)
        """

    static let change = Resource(
        "change", "changes", table: "change", isNewestFirst: true,
        [
            Field("changeid", .integer, .value("change.id")),
            Field(
                "parent_changeids", .list(.integer),
                .json("iif(change.parent_id IS NULL, '[]', json_array(change.parent_id))")),
            Field("author", .string, .value("change.author")),
            Field("committer", .string, .value("change.committer")),
            Field("files", .list(.string), .json("change.files")),
            Field("comments", .string, .value("change.comments")),
            Field("revision", .optional(.string), .value(ofSourceStamp("revision"))),
            Field("when_timestamp", .integer, .time("change.when_timestamp")),
            Field("branch", .optional(.string), .value(ofSourceStamp("branch"))),
            Field("category", .optional(.string), .value("change.category")),
            Field("revlink", .optional(.string), .value("change.revlink")),
            // Without their source, which is the same for all.
            Field("properties", .properties, .json("change.properties")),
            Field("repository", .string, .value(ofSourceStamp("repository"))),
            Field("project", .string, .value(ofSourceStamp("project"))),
            Field("codebase", .string, .value(ofSourceStamp("codebase"))),
            Field(
                "sourcestamp", .record("sourcestamp", sourcestamp.fields),
                .json(ofSourceStamp(sourceStampObject))),
        ])

    /// An expression over the columns of a change's source stamp.
    private static func ofSourceStamp(_ expression: String) -> String {
        "(SELECT \(expression) FROM source_stamp WHERE id = change.source_stamp_id)"
    }

    private static let patchFields = [
        Field("patchid", .integer), Field("body", .binary), Field("level", .integer),
        Field("subdir", .string), Field("author", .string), Field("comment", .string),
    ]

    // MARK: Rows of the master

    static let builder = Resource(
        "builder", "builders",
        [
            Field("builderid", .integer), Field("name", .string),
            Field("masterids", .list(.integer)), Field("description", .optional(.string)),
            Field("description_format", .optional(.string)),
            Field("description_html", .optional(.string)), Field("projectid", .optional(.integer)),
            Field("tags", .list(.string)),
        ])

    static let master = Resource(
        "master", "masters",
        [
            Field("masterid", .integer), Field("name", .string), Field("active", .boolean),
            Field("last_active", .datetime),
        ])

    static let worker = Resource(
        "worker", "workers",
        [
            Field("workerid", .integer), Field("name", .string),
            Field("connected_to", .list(.record("master_id", [Field("masterid", .integer)]))),
            Field(
                "configured_on",
                .list(
                    .record(
                        "master_builder",
                        [Field("masterid", .integer), Field("builderid", .integer)]))),
            Field("workerinfo", .json), Field("paused", .boolean),
            Field("pause_reason", .optional(.string)), Field("graceful", .boolean),
        ])

    static let scheduler = Resource(
        "scheduler", "schedulers",
        [
            Field("schedulerid", .integer), Field("name", .string), Field("enabled", .boolean),
            Field("master", .optional(.record("master", master.fields))),
        ])

    static let forcescheduler = Resource(
        "forcescheduler", "forceschedulers",
        [
            Field("name", .identifier), Field("button_name", .string), Field("label", .string),
            Field("builder_names", .list(.identifier)), Field("enabled", .boolean),
            Field("all_fields", .list(.json)),
        ])

    static let changesource = Resource(
        "changesource", "changesources",
        [
            Field("changesourceid", .integer), Field("name", .string),
            Field("master", .optional(.record("master", master.fields))),
        ])

    static let project = Resource(
        "project", "projects",
        [
            Field("projectid", .integer), Field("name", .identifier), Field("slug", .identifier),
            Field("active", .optional(.boolean)), Field("description", .optional(.string)),
            Field("description_format", .optional(.string)),
            Field("description_html", .optional(.string)),
        ])

    static let spec = Resource(
        "spec", "specs",
        [
            Field("path", .string), Field("type", .string), Field("plural", .string),
            Field("type_spec", .json),
        ])

    static let logchunk = Resource(
        "logchunk", "logchunks",
        [Field("logid", .integer), Field("firstline", .integer), Field("content", .string)])

    static let properties = Resource(
        "sourcedproperties", "properties", [Field("properties", .properties)])

    static let property = Resource(
        "_property", "_properties",
        [Field("name", .string), Field("source", .string), Field("value", .json)])

    // MARK: What this master has none of

    static let rootlink = Resource("rootlink", "rootlinks", [Field("name", .string)])

    static let buildData = Resource(
        "build_data", "build_data",
        [
            Field("buildid", .integer), Field("name", .string), Field("length", .integer),
            Field("value", .optional(.binary)), Field("source", .string),
        ])

    static let codebase = Resource(
        "codebase", "codebases",
        [
            Field("codebaseid", .integer), Field("projectid", .integer),
            Field("name", .identifier), Field("slug", .identifier),
        ])

    static let branch = Resource(
        "branch", "branches",
        [
            Field("branchid", .integer), Field("codebaseid", .integer), Field("name", .string),
            Field("commitid", .integer), Field("last_timestamp", .integer),
        ])

    static let commit = Resource(
        "commit", "commits",
        [
            Field("commitid", .integer), Field("codebaseid", .integer), Field("author", .string),
            Field("committer", .optional(.string)), Field("comments", .string),
            Field("when_timestamp", .integer), Field("revision", .string),
            Field("parent_commitid", .optional(.integer)),
        ])

    static let commitGraph = Resource(
        "commit_graph", "commit_graphs",
        [
            Field("common", .integer), Field("to1", .list(.integer)),
            Field("to2", .list(.integer)),
        ])

    static let testResultSet = Resource(
        "test_result_set", "test_result_sets",
        [
            Field("test_result_setid", .integer), Field("builderid", .integer),
            Field("buildid", .integer), Field("stepid", .integer),
            Field("description", .optional(.string)), Field("category", .string),
            Field("value_unit", .string), Field("tests_passed", .optional(.integer)),
            Field("tests_failed", .optional(.integer)), Field("complete", .boolean),
        ])

    static let testResult = Resource(
        "test_result", "test_results",
        [
            Field("test_resultid", .integer), Field("builderid", .integer),
            Field("test_result_setid", .integer), Field("test_name", .optional(.string)),
            Field("test_code_path", .optional(.string)), Field("line", .optional(.integer)),
            Field("duration_ns", .optional(.integer)), Field("value", .string),
        ])
}
