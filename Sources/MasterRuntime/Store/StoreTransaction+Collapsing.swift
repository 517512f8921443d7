internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// A pending request, and the new one that is built in its place.
    private struct Collapsed {
        let id: Int
        let buildsetID: Int
        let builder: String
        let newer: Int
    }

    /// Finishes pending requests as skipped that ask for the same as those of a new buildset, which
    /// then also have their changes. Events: requests finished, buildsets finished.
    ///
    /// A request that another build or a person waits for is left alone, as is one that another
    /// pending request of its buildset needs.
    ///
    /// - Parameters:
    ///   - submission: The new buildset; its changes are linked to it.
    ///   - builders: The builders of the file.
    /// - Returns: The ids of the finished requests.
    /// - Throws: A database error.
    func collapse(
        into submission: Submission, _ builders: BuilderTable
    ) throws -> [Int] {
        var found: [Collapsed] = []
        var wanted: CollapsingTerms?
        for request in submission.requests {
            let name = try builder(request.builderID).name
            guard builders[name]?.collapsesRequests == true else { continue }
            let older = try older(than: request, for: submission.buildset.sourceStamps.first)
            guard !older.isEmpty else { continue }
            let terms = try wanted ?? collapsingTerms(of: submission.buildset.id)
            wanted = terms
            for (id, buildset) in older
            where terms.fit(try collapsingTerms(of: buildset)) {
                found.append(
                    Collapsed(id: id, buildsetID: buildset, builder: name, newer: request.id))
            }
        }
        try leaveNeeded(&found, builders)
        for request in found {
            try database.run(
                "UPDATE build_request SET collapsed_into = ? WHERE id = ?",
                [request.newer, request.id])
            try append(try finishRequest(request.id, results: .skipped))
        }
        return found.map(\.id)
    }

    /// The pending requests of a builder that may ask for the same as a newer one, oldest first.
    ///
    /// One source is compared here: there may be thousands for other branches.
    private func older(
        than request: BuildRequest, for stamp: SourceStamp?
    ) throws -> [(id: Int, buildset: Int)] {
        let isSame = """
            EXISTS (SELECT 1 FROM source_stamp WHERE buildset_id = build_request.buildset_id
                AND branch IS ? AND repository = ? AND project = ? AND codebase = ?)
            """
        return try database.all(
            """
            SELECT id, buildset_id FROM build_request
            WHERE builder_id = ? AND complete_at IS NULL AND claimed_at IS NULL AND id < ?
                AND waited_for = 0 AND collapsible = 1 \(stamp == nil ? "" : "AND \(isSame)")
            ORDER BY id
            """,
            [request.builderID, request.id]
                + (stamp.map { [$0.branch, $0.repository, $0.project, $0.codebase] } ?? [])
        ) { (id: $0[0], buildset: $0[1]) }
    }

    /// Tells those who know of a request that was collapsed of the build that is made in its place.
    /// Events: requests collapsed, each in the lane of that request.
    func appendCollapsed(into build: Build) throws {
        try appendCollapsed(into: build.requestID, build.results) { try record(of: build) }
    }

    /// Tells them that it is not made. Events: requests collapsed.
    func appendCollapsed(into request: BuildRequest) throws {
        try appendCollapsed(into: request.id, request.results) { try buildToBe(of: request) }
    }

    private func appendCollapsed(
        into id: Int, _ results: Results?, _ record: () throws -> JSONObject
    ) throws {
        guard wanted.contains(.buildrequestCollapsed) else { return }
        let collapsed = try database.numbers(
            """
            WITH RECURSIVE gone (request) AS (
                SELECT id FROM build_request WHERE collapsed_into = ?
                UNION SELECT id FROM build_request JOIN gone ON collapsed_into = gone.request)
            SELECT request FROM gone ORDER BY request
            """, [id])
        guard !collapsed.isEmpty else { return }
        let build = try record()
        for id in collapsed {
            guard let request = try BuildRequest.find(id, in: database),
                let buildset = try Buildset.find(request.buildsetID, in: database)
            else { continue }
            try append(.buildrequestCollapsed, lane: id) {
                request.json.merging([
                    "results": .int(results?.rawValue ?? -1), "complete": .bool(results != nil),
                    "build": .object(
                        build.merging([
                            "buildrequest": .object(request.json),
                            "buildset": .object(buildset.json),
                        ])),
                ])
            }
        }
    }

    /// Removes what a pending request of the same buildset needs that is to be built.
    private func leaveNeeded(_ found: inout [Collapsed], _ builders: BuilderTable) throws {
        var count: Int
        repeat {
            count = found.count
            let ids = Set(found.map(\.id))
            found = try found.filter { request in
                let needing = builders.filter { $0.needs.contains(request.builder) }.map(\.name)
                guard !needing.isEmpty else { return true }
                let open = try database.all(
                    """
                    SELECT build_request.id, builder.name FROM build_request
                    JOIN builder ON builder.id = builder_id
                    WHERE buildset_id = ? AND complete_at IS NULL
                    """, [request.buildsetID]
                ) { (id: $0[0] as Int, builder: $0[1] as String) }
                return !open.contains { needing.contains($0.builder) && !ids.contains($0.id) }
            }
        } while found.count < count
    }

    private func collapsingTerms(of id: Int) throws -> CollapsingTerms {
        let hasSecrets = try database.number(
            "SELECT 1 FROM buildset WHERE id = ? AND secret_references IS NOT NULL", [id])
        let changed = try database.all(
            """
            SELECT DISTINCT codebase FROM buildset_change JOIN change ON change.id = change_id
            JOIN source_stamp ON source_stamp.id = source_stamp_id
            WHERE buildset_change.buildset_id = ?
            """, [id]
        ) { $0[0] as String }
        return CollapsingTerms(
            try buildset(id).sourceStamps, changedCodebases: Set(changed),
            try Buildset.properties(id, in: database), hasSecrets: hasSecrets != nil)
    }
}

/// What two buildsets must have in common for the newer one to be built in place of both.
private struct CollapsingTerms {
    private struct Source: Hashable {
        let repository: String
        let branch: String?
        let project: String
        /// The revision, if no change tells that a newer one is wanted as well.
        let revision: String?
        let hasChanges: Bool
    }

    /// The sources by codebase, or `nil` if a codebase occurs twice.
    private let sources: [String: Source]?
    /// What its builds were asked to do, beside the changes but for their merge request.
    private let properties: [String: JSONValue]
    private let hasSecrets: Bool

    init(
        _ stamps: [SourceStamp], changedCodebases: Set<String>, _ properties: Properties,
        hasSecrets: Bool
    ) {
        let sources = stamps.map { stamp in
            let hasChanges = changedCodebases.contains(stamp.codebase)
            return (
                stamp.codebase,
                Source(
                    repository: stamp.repository, branch: stamp.branch, project: stamp.project,
                    revision: hasChanges ? nil : stamp.revision, hasChanges: hasChanges)
            )
        }
        let byCodebase = Dictionary(sources, uniquingKeysWith: { one, _ in one })
        self.sources = byCodebase.count == stamps.count ? byCodebase : nil
        var asked: [String: JSONValue] = [:]
        for (name, entry) in properties.entries where name != "scheduler" {
            guard entry.source != "Change" || Change.mergeRequestProperties.contains(name) else {
                continue
            }
            asked[name] = entry.value
        }
        self.properties = asked
        self.hasSecrets = hasSecrets
    }

    /// Whether one of them can be built in place of the other; masked values can't be compared.
    func fit(_ other: CollapsingTerms) -> Bool {
        guard let sources, !hasSecrets, !other.hasSecrets else { return false }
        return sources == other.sources && properties == other.properties
    }
}
