internal import GRDB
internal import MasterKit

extension StoreTransaction {
    /// Finishes every unfinished build with its steps and logs, because they are no longer running.
    ///
    /// - Parameters:
    ///   - wanted: How builds of a run end: as exception, or as retry to make their requests pending
    ///     again. Those of a long-running master end as retry.
    ///   - reason: A short reason, such as `master stopped`.
    ///   - lineCounts: The line counts of the unfinished logs, by log id.
    /// - Returns: The builds that were finished, oldest first.
    /// - Throws: A database error.
    ///
    /// A build that another one waited for is cancelled instead of retried, as is a pending request:
    /// the other one triggers it again.
    func endUnfinished(
        as wanted: Results, reason: String, lineCounts: [Int: Int]
    ) throws -> [Build] {
        for id in try database.numbers(
            """
            SELECT id FROM build_request
            WHERE claimed_at IS NULL AND complete_at IS NULL AND waited_for = 1
            """, [])
        { try cancelRequest(id) }
        return try Build.unfinished(in: database).map { build in
            let isWaitedFor = try request(build.requestID).waitedFor
            let isRetried = try wanted == .retry || origin(ofRequest: build.requestID) == .service
            let results: Results = isRetried ? (isWaitedFor ? .cancelled : .retry) : wanted
            for step in try StepRecord.all(ofBuild: build.id, in: database) {
                // Also of a step that has ended: its program may have kept running.
                for log in try Log.all(ofStep: step.id, in: database) where !log.isComplete {
                    try finishLog(log.id, lineCount: lineCounts[log.id] ?? log.lineCount)
                }
                guard step.completeAt == nil else { continue }
                try finishStep(
                    step.id, results: results,
                    stateString: Masked(alreadyMasked: "\(results.name): \(reason)"))
            }
            return try finishBuild(
                build.id, results: results,
                stateString: Masked(alreadyMasked: "\(results.name) (\(reason))"),
                properties: Masked(alreadyMasked: build.properties),
                outcome: results == .retry ? .retried : .finished)
        }
    }

    private func origin(ofRequest id: Int) throws -> RequestOrigin? {
        try database.first(
            """
            SELECT origin FROM build_request JOIN buildset ON buildset.id = buildset_id
            WHERE build_request.id = ?
            """, [id]
        ) { RequestOrigin(rawValue: $0[0]) } ?? nil
    }

    /// Cancels the pending requests of earlier runs.
    ///
    /// - Returns: The number of cancelled requests.
    @discardableResult
    func cancelRequestsOfRuns() throws -> Int {
        let pending = try database.numbers(
            """
            SELECT build_request.id FROM build_request JOIN buildset ON buildset.id = buildset_id
            WHERE claimed_at IS NULL AND build_request.complete_at IS NULL AND origin = ?
            """, [RequestOrigin.run.rawValue])
        for id in pending { try cancelRequest(id) }
        return pending.count
    }

    /// The initial values of a buildset's builds, with secrets restored.
    ///
    /// If a secret no longer exists, it is reported in `missing`.
    func submitted(_ buildset: Buildset, _ secrets: SecretValues) throws -> SubmittedValues {
        let row = try database.first(
            "SELECT properties, secret_references FROM buildset WHERE id = ?", [buildset.id]
        ) { (properties: $0[0] as String, references: $0[1] as String?) }
        guard let row else { throw StoreError(.conflict, "buildset \(buildset.id) is gone") }
        var values = SubmittedValues(
            properties: try Properties(stored: row.properties), sourceStamps: buildset.sourceStamps)
        guard let references = try row.references.map({ try JSONValue(stored: $0) }) else {
            return values
        }
        do throws(SecretReferences.Missing) {
            try SecretReferences(secrets: secrets).restore(
                &values.properties, &values.sourceStamps, from: references)
        } catch {
            values.missing = error
        }
        return values
    }
}

/// The initial properties and source stamps of a build.
struct SubmittedValues: Sendable {
    var properties: Properties
    var sourceStamps: [SourceStamp]
    /// A secret in these values that no longer exists.
    var missing: SecretReferences.Missing?
}

extension Store {
    /// Finishes whatever a master left unfinished when it exited without closing the store.
    ///
    /// - Parameters:
    ///   - results: How builds of a run end: as exception, or as retry to make their requests
    ///     pending again. Those of a long-running master end as retry.
    ///   - reason: A short reason, such as `master stopped`.
    /// - Returns: The builds that were finished, oldest first.
    /// - Throws: ``StoreError``, also if a log cannot be read.
    func endUnfinished(as results: Results, reason: String) async throws(StoreError) -> [Build] {
        let logs = try await read { try Log.unfinishedPaths(in: $0) }
        let lineCounts = try await lineCounts(of: logs)
        return try await write {
            try $0.endUnfinished(as: results, reason: reason, lineCounts: lineCounts)
        }
    }

    private func lineCounts(of paths: [Int: String]) async throws(StoreError) -> [Int: Int] {
        guard !paths.isEmpty else { return [:] }
        let folder = folder
        do {
            return try await OwnThread.run {
                try paths.mapValues {
                    let file = LogFile(path: folder + "/" + $0)
                    try file.noteCutOff()
                    return try file.lineCount()
                }
            }
        } catch {
            throw StoreError(.system, "a log cannot be read: \(error)", cause: error)
        }
    }
}

extension Log {
    /// The content paths of the unfinished logs, by log id.
    ///
    /// Starts from the few unfinished builds to avoid scanning all logs, and says how to find them:
    /// without statistics SQLite prefers to scan an index of all builds.
    fileprivate static func unfinishedPaths(in database: Database) throws -> [Int: String] {
        let paths: [(Int, String)] = try database.all(
            """
            SELECT log.id, path FROM build INDEXED BY build_unfinished
            CROSS JOIN step ON step.build_id = build.id CROSS JOIN log ON log.step_id = step.id
            WHERE build.complete_at IS NULL AND log.complete = 0
            """
        ) { ($0[0], $0[1]) }
        return Dictionary(uniqueKeysWithValues: paths)
    }
}
