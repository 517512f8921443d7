internal import MasterKit

/// A path of the API with names for its variable parts.
struct Endpoint: Sendable {
    /// A part of a path.
    enum Part: Sendable {
        case literal(String)
        /// A whole number.
        case number(String)
        /// A text, such as a name.
        case text(String)
    }

    /// The values of the variable parts by name.
    typealias Arguments = [String: DataQuery.Value]

    let pattern: String
    let resource: Resource
    let parts: [Part]
    /// Whether it gives one record rather than a collection.
    let isItem: Bool

    init(_ pattern: String, _ resource: Resource) {
        self.pattern = pattern
        self.resource = resource
        parts = pattern.split(separator: "/").map { part in
            guard let colon = part.firstIndex(of: ":") else { return .literal(String(part)) }
            let name = String(part[part.index(after: colon)...])
            return part.hasPrefix("n:") || part.hasPrefix(":") ? .number(name) : .text(name)
        }
        switch resource.type {
        case "logchunk", "sourcedproperties": isItem = true
        default:
            if case .literal = parts.last { isItem = false } else { isItem = true }
        }
    }

    /// The values of the variable parts of a path, or `nil` if it is not one of this endpoint.
    func match(_ path: [String]) -> Arguments? {
        guard path.count == parts.count else { return nil }
        var arguments: Arguments = [:]
        for (part, text) in zip(parts, path) {
            switch part {
            case .literal(let word): guard text == word else { return nil }
            case .number(let name):
                guard let number = Int(text) else { return nil }
                arguments[name] = .int(number)
            case .text(let name):
                guard !text.isEmpty else { return nil }
                arguments[name] = .string(text)
            }
        }
        return arguments
    }

    /// The endpoint of a path; numbers go before names.
    static func find(_ path: [String]) -> (Endpoint, Arguments)? {
        for endpoint in table[path.first ?? "", default: []] {
            if let arguments = endpoint.match(path) { return (endpoint, arguments) }
        }
        return nil
    }

    private static let table = Dictionary(grouping: all) { endpoint in
        guard case .literal(let word) = endpoint.parts.first else { return "" }
        return word
    }.mapValues { $0.sorted { $0.rank.lexicographicallyPrecedes($1.rank) } }

    private var rank: [Int] {
        parts.map { part in
            switch part {
            case .literal: 0
            case .number: 1
            case .text: 2
            }
        }
    }

    /// All endpoints in the order of the specification.
    static let all: [Endpoint] = paths.split(separator: "\n").map { line in
        let words = line.split(separator: " ")
        let pattern = words.count > 1 ? String(words[0]) : ""
        let type = String(words[words.count - 1])
        guard let resource = Resource.all.first(where: { $0.type == type }) else {
            preconditionFailure("the type \(type) of the path \(pattern) has no resource")
        }
        return Endpoint(pattern, resource)
    }

    /// The logs of all steps of a build; the dashboard alone asks for them.
    static let logsOfBuild = Endpoint("builds/n:buildid/logs", .log)

    /// Each path with the type of its records.
    private static let paths = """
        rootlink
        application.spec spec
        branches/n:branchid branch
        builders builder
        builders/:builderid/forceschedulers forcescheduler
        builders/n:builderid builder
        builders/n:builderid/buildrequests buildrequest
        builders/n:builderid/builds build
        builders/n:builderid/builds/n:build_number build
        builders/n:builderid/builds/n:build_number/changes change
        builders/n:builderid/builds/n:build_number/data build_data
        builders/n:builderid/builds/n:build_number/data/i:name build_data
        builders/n:builderid/builds/n:build_number/data/i:name/value build_data
        builders/n:builderid/builds/n:build_number/properties sourcedproperties
        builders/n:builderid/builds/n:build_number/steps step
        builders/n:builderid/builds/n:build_number/steps/i:step_name step
        builders/n:builderid/builds/n:build_number/steps/i:step_name/logs log
        builders/n:builderid/builds/n:build_number/steps/i:step_name/logs/i:log_slug log
        builders/n:builderid/builds/n:build_number/steps/i:step_name/logs/i:log_slug/contents logchunk
        builders/n:builderid/builds/n:build_number/steps/i:step_name/logs/i:log_slug/raw logchunk
        builders/n:builderid/builds/n:build_number/steps/i:step_name/logs/i:log_slug/raw_inline logchunk
        builders/n:builderid/builds/n:build_number/steps/n:step_number step
        builders/n:builderid/builds/n:build_number/steps/n:step_number/logs log
        builders/n:builderid/builds/n:build_number/steps/n:step_number/logs/i:log_slug log
        builders/n:builderid/builds/n:build_number/steps/n:step_number/logs/i:log_slug/contents logchunk
        builders/n:builderid/builds/n:build_number/steps/n:step_number/logs/i:log_slug/raw logchunk
        builders/n:builderid/builds/n:build_number/steps/n:step_number/logs/i:log_slug/raw_inline logchunk
        builders/n:builderid/masters master
        builders/n:builderid/masters/n:masterid master
        builders/n:builderid/test_result_sets test_result_set
        builders/n:builderid/workers worker
        builders/n:builderid/workers/i:name worker
        builders/n:builderid/workers/n:workerid worker
        builders/s:buildername builder
        builders/s:buildername/builds build
        builders/s:buildername/builds/n:build_number build
        builders/s:buildername/builds/n:build_number/data build_data
        builders/s:buildername/builds/n:build_number/data/i:name build_data
        builders/s:buildername/builds/n:build_number/data/i:name/value build_data
        builders/s:buildername/builds/n:build_number/steps step
        builders/s:buildername/builds/n:build_number/steps/i:step_name step
        builders/s:buildername/builds/n:build_number/steps/i:step_name/logs log
        builders/s:buildername/builds/n:build_number/steps/i:step_name/logs/i:log_slug log
        builders/s:buildername/builds/n:build_number/steps/n:step_number step
        builders/s:buildername/builds/n:build_number/steps/n:step_number/logs log
        builders/s:buildername/builds/n:build_number/steps/n:step_number/logs/i:log_slug log
        builders/s:buildername/test_result_sets test_result_set
        buildrequests buildrequest
        buildrequests/n:buildrequestid buildrequest
        buildrequests/n:buildrequestid/builds build
        builds build
        builds/n:buildid build
        builds/n:buildid/changes change
        builds/n:buildid/data build_data
        builds/n:buildid/data/i:name build_data
        builds/n:buildid/data/i:name/value build_data
        builds/n:buildid/properties sourcedproperties
        builds/n:buildid/property_list _property
        builds/n:buildid/steps step
        builds/n:buildid/steps/i:step_name step
        builds/n:buildid/steps/i:step_name/logs log
        builds/n:buildid/steps/i:step_name/logs/i:log_slug log
        builds/n:buildid/steps/i:step_name/logs/i:log_slug/contents logchunk
        builds/n:buildid/steps/i:step_name/logs/i:log_slug/raw logchunk
        builds/n:buildid/steps/i:step_name/logs/i:log_slug/raw_inline logchunk
        builds/n:buildid/steps/n:step_number step
        builds/n:buildid/steps/n:step_number/logs log
        builds/n:buildid/steps/n:step_number/logs/i:log_slug log
        builds/n:buildid/steps/n:step_number/logs/i:log_slug/contents logchunk
        builds/n:buildid/steps/n:step_number/logs/i:log_slug/raw logchunk
        builds/n:buildid/steps/n:step_number/logs/i:log_slug/raw_inline logchunk
        builds/n:buildid/test_result_sets test_result_set
        builds/n:buildid/triggered_builds build
        buildsets buildset
        buildsets/:buildsetid/sourcestamps sourcestamp
        buildsets/n:bsid buildset
        buildsets/n:bsid/properties sourcedproperties
        buildsets/n:bsid/properties_list _property
        changes change
        changes/n:changeid change
        changes/n:changeid/builds build
        changes/n:changeid/properties_list _property
        changesources changesource
        changesources/n:changesourceid changesource
        codebases codebase
        codebases/n:codebaseid codebase
        codebases/n:codebaseid/branches branch
        codebases/n:codebaseid/commit_range/n:commitid1/n:commitid2/commits_common_parent commit_graph
        codebases/n:codebaseid/commit_range/n:commitid1/n:commitid2/test_result_sets test_result_set
        codebases/n:codebaseid/commits commit
        codebases/n:codebaseid/commits_by_revision/s:revision commit
        commits/n:commitid commit
        forceschedulers forcescheduler
        forceschedulers/i:schedulername forcescheduler
        logchunks logchunk
        logs/n:logid log
        logs/n:logid/contents logchunk
        logs/n:logid/raw logchunk
        logs/n:logid/raw_inline logchunk
        masters master
        masters/n:masterid master
        masters/n:masterid/builders builder
        masters/n:masterid/builders/n:builderid builder
        masters/n:masterid/builders/n:builderid/workers worker
        masters/n:masterid/builders/n:builderid/workers/i:name worker
        masters/n:masterid/builders/n:builderid/workers/n:workerid worker
        masters/n:masterid/changesources changesource
        masters/n:masterid/changesources/n:changesourceid changesource
        masters/n:masterid/schedulers scheduler
        masters/n:masterid/schedulers/n:schedulerid scheduler
        masters/n:masterid/workers worker
        masters/n:masterid/workers/i:name worker
        masters/n:masterid/workers/n:workerid worker
        projects project
        projects/i:projectname project
        projects/n:projectid project
        projects/n:projectid/builders builder
        projects/n:projectid/codebases/i:codebasename codebase
        schedulers scheduler
        schedulers/n:schedulerid scheduler
        sourcestamps sourcestamp
        sourcestamps/n:ssid sourcestamp
        sourcestamps/n:ssid/changes change
        steps/n:stepid step
        steps/n:stepid/logs log
        steps/n:stepid/logs/i:log_slug log
        steps/n:stepid/logs/i:log_slug/contents logchunk
        steps/n:stepid/logs/i:log_slug/raw logchunk
        steps/n:stepid/logs/i:log_slug/raw_inline logchunk
        steps/n:stepid/test_result_sets test_result_set
        test_result_sets test_result_set
        test_result_sets/n:test_result_setid test_result_set
        test_result_sets/n:test_result_setid/results test_result
        workers worker
        workers/i:name worker
        workers/n:workerid worker
        workers/n:workerid/builders builder
        workers/n:workerid/builds build
        """
}
