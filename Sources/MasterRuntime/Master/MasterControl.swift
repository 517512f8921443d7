package import FoundationEssentials
internal import GRDB
package import MasterKit
internal import Synchronization

/// What people do with a master that stays up, by the ids that they see.
extension Master {
    /// Kills all running commands without waiting, for a process that exits immediately.
    package func abandonCommands() {
        localWorker.abandonCommands()
        environment.master.abandonCommands()
    }

    /// Begins no further builds, and waits until those that run have ended, however long that takes.
    ///
    /// - Parameter isEnough: Whether to wait no longer, which is asked again after
    ///   ``reconsiderWait()``.
    package func waitForBuilds(unless isEnough: () -> Bool) async {
        submissions.distributor.hold()
        await submissions.distributor.waitForEnd(unless: isEnough)
    }

    /// Has ``waitForBuilds(unless:)`` ask again.
    package func reconsiderWait() { submissions.distributor.reconsiderWait() }

    // MARK: Builds and requests

    /// Stops the build of a request, or cancels the request if it is pending; a second call for the
    /// same build also stops alwaysRun steps.
    package func stop(request id: Int, reason: String) async {
        await submissions.distributor.stop(id, reason: reason)
    }

    /// The request of a build, unless that has ended.
    package func request(ofRunning build: Int) async throws(StoreError) -> Int? {
        try await environment.store.read { database in
            try database.number(
                "SELECT request_id FROM build WHERE id = ? AND complete_at IS NULL", [build])
        }
    }

    /// Cancels the pending requests of a builder.
    package func cancelRequests(of builder: String, reason: String) async {
        await submissions.distributor.cancelPending(of: builder, reason: reason)
    }

    /// Changes the priority of a request.
    ///
    /// - Returns: Whether the request is still pending, so that its priority matters.
    package func prioritize(request id: Int, _ priority: Int) async throws(StoreError) -> Bool {
        guard try await environment.store.write({ try $0.prioritizeRequest(id, priority) }) else {
            return false
        }
        submissions.distributor.change(id, priority: priority)
        return true
    }

    /// Submits a build of the same sources with the same properties as an earlier one.
    ///
    /// - Returns: The submission, or `nil` if the build does not exist.
    /// - Throws: ``MasterError`` if its builder no longer exists; ``StoreError``.
    package func rebuild(_ id: Int) async throws -> Submission? {
        let secrets = environment.secrets
        let found = try await environment.store.write {
            transaction -> (request: BuildsetRequest, changes: [Change])? in
            guard let build = try Build.find(id, in: transaction.database) else { return nil }
            let request = try transaction.request(build.requestID)
            let buildset = try transaction.buildset(request.buildsetID)
            let values = try transaction.submitted(buildset, secrets)
            if let missing = values.missing { throw StoreError(.conflict, "\(missing)") }
            var wanted = BuildsetRequest(
                builders: [try transaction.builder(build.builderID).name], reason: buildset.reason,
                sourceStamps: values.sourceStamps, properties: values.properties,
                priority: request.priority)
            wanted.rebuiltBuildID = id
            return (wanted, try Change.all(ofBuild: id, in: transaction.database))
        }
        guard let (request, changes) = found else { return nil }
        // What the properties of changes have set is among its own.
        return try await submissions.submit(request, carrying: changes, by: .service).0
    }

    // MARK: Schedulers

    /// Enables or disables a scheduler, also for later masters.
    ///
    /// - Returns: Whether there is such a scheduler.
    package func enable(scheduler id: Int, _ isEnabled: Bool) async throws(StoreError) -> Bool {
        try await environment.store.write { transaction in
            let name = try transaction.database.first(
                "UPDATE scheduler SET enabled = ? WHERE id = ? RETURNING name", [isEnabled, id]
            ) { $0[0] as String }
            guard let name else { return false }
            try transaction.append(.schedulerUpdated, lane: 0) {
                [
                    "schedulerid": .int(id), "name": .string(name), "enabled": .bool(isEnabled),
                    "master": .object(transaction.identity.master(at: transaction.now)),
                ]
            }
            return true
        }
    }

    /// Whether somebody has disabled a scheduler.
    package func isDisabled(scheduler name: String) async throws -> Bool {
        try await environment.store.read { database in
            try database.number("SELECT 1 FROM scheduler WHERE name = ? AND NOT enabled", [name])
                != nil
        }
    }

    // MARK: Texts

    /// The text without secrets.
    package func masked(_ text: String) -> String { environment.mask.apply(to: text) }

    // MARK: Ids

    /// Gives ids to what a configuration declares, before anything is built.
    func register(_ configuration: MasterConfiguration) async throws(StoreError) {
        try await environment.store.write { transaction in
            for builder in configuration.builders {
                _ = try transaction.builder(
                    named: builder.name, description: builder.description, tags: builder.tags)
            }
            for source in configuration.changeSources {
                try transaction.database.run(
                    "INSERT OR IGNORE INTO change_source (name) VALUES (?)", [source.name])
            }
            for scheduler in configuration.schedulers {
                try transaction.database.run(
                    "INSERT OR IGNORE INTO scheduler (name) VALUES (?)", [scheduler.name])
            }
        }
    }
}

extension Master {
    /// Forgets the states of schedulers that are not in the file; if one comes back, it begins
    /// anew instead of building all changes that have come meanwhile.
    ///
    /// - Returns: How many changes each of them had yet to build, by its name.
    @discardableResult
    func forgetOtherSchedulers() async throws(StoreError) -> [String: Int] {
        guard options.resumesRequests else { return [:] }
        let names = Set(current.schedulers.map { ServiceProgram($0).stateName })
        let counts = try await environment.store.write { transaction in
            let database = transaction.database
            let known = try database.all(
                """
                SELECT name, state FROM service_state
                WHERE name >= 'schedulers/' AND name < 'schedulers0'
                """
            ) { (name: $0[0] as String, state: $0[1] as String) }
            var counts: [String: Int] = [:]
            for (name, state) in known where !names.contains(name) {
                try database.run("DELETE FROM service_state WHERE name = ?", [name])
                let collected = try JSONValue(stored: state)["collected"]?.arrayValue ?? []
                let count = collected.filter { $0["important"] == true }
                    .compactMap { $0["changes"]?.arrayValue?.count }.reduce(0, +)
                if count > 0 { counts[String(name.dropFirst("schedulers/".count))] = count }
            }
            return counts
        }
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
            environment.logger.warning(
                """
                \(count) \(count == 1 ? "change" : "changes") will not be built: master.yaml no longer \
                has the scheduler '\(name)', which had collected them
                """)
        }
        return counts
    }
}

extension MasterIdentity {
    /// The master in the data API's form.
    package func master(at moment: Date) -> JSONObject {
        [
            "active": true, "last_active": .time(moment), "masterid": 1, "name": .string(title),
        ]
    }
}

extension RequestDistributor {
    /// Stops the build of a request for a user, or cancels the request if it is pending.
    ///
    /// A second call for the same build also stops alwaysRun steps.
    func stop(_ request: Int, reason: String) async {
        let (pending, control) = state.withLock { state in
            (state.removePending { $0.id == request }, state.running[request]?.control)
        }
        if let control { return control.stop(reason) }
        await cancel(pending, reason)
        guard pending.isEmpty else { return }
        await cancelStored { _ in [request] }
    }

    /// Cancels the pending requests of a builder.
    func cancelPending(of builder: String, reason: String) async {
        let pending = state.withLock { $0.removePending { $0.builder == builder } }
        await cancel(pending, reason)
        await cancelStored { try $0.pendingRequests(of: builder) }
    }

    /// Cancels requests in the store alone: a submission adds its requests here a moment after they
    /// have been stored. No build of theirs begins.
    private func cancelStored(
        _ requests: @escaping @Sendable (StoreTransaction) throws -> [Int]
    ) async {
        do {
            try await store.write { transaction in
                for id in try requests(transaction) { try transaction.cancelRequest(id) }
            }
        } catch {
            // There is no such request, or the store has failed, which ends the master.
        }
    }
}

extension StoreTransaction {
    /// The ids of a builder's requests for which no build has begun.
    fileprivate func pendingRequests(of builder: String) throws -> [Int] {
        try database.numbers(
            """
            SELECT build_request.id FROM build_request JOIN builder ON builder.id = builder_id
            WHERE name = ? AND claimed_at IS NULL AND complete_at IS NULL ORDER BY build_request.id
            """, [builder])
    }
}
