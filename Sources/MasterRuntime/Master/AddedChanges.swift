internal import Crypto
internal import GRDB
package import MasterKit

extension Master {
    /// The machine for a change source, with a folder of its own.
    func machine(ofSource name: String) -> SourceMachine {
        let environment = environment
        var component = FilePaths.component(name)
        if component.utf8.count > 120 {
            // Distinct also for names that differ at their end only.
            let digest = SHA256.hash(data: Array(name.utf8)).prefix(8)
                .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            component = String(component.prefix(100)) + "-" + digest
        }
        let folder = FilePaths.absolute("\(environment.basedir)/changes/\(component)")
        return SourceMachine(
            worker: environment.master.rooted(at: folder), folder: folder,
            masterFolder: environment.configuration.folder)
    }

    /// Adds a change to the sources; see ``ServiceContext/addChanges(_:saving:)``.
    @discardableResult
    package func addChange(_ change: Change) async throws -> Change {
        try await addChanges([change]) { _ in }.first ?? change
    }

    /// Adds changes, and makes another change of the store in the same transaction.
    func addChanges(
        _ changes: [Change], with other: @escaping @Sendable (StoreTransaction) throws -> Void
    ) async throws -> [Change] {
        let masked = try prepared(changes)
        return try await environment.store.write { transaction in
            let added = try masked.map { try transaction.add($0) }
            try other(transaction)
            return added
        }
    }
}

/// What has become of a change hook's request.
package enum HookChanges: Sendable, Hashable {
    /// Its changes were added; their ids.
    case added([Int])
    /// It was received before; the ids of its changes.
    case known([Int])
}

extension Master {
    /// How long the requests of change hooks are known, in seconds.
    private static let hookMemory = 7.0 * 86_400

    /// Adds the changes of a change hook's request, unless it was received within a week.
    ///
    /// - Parameters:
    ///   - changes: The changes, oldest first.
    ///   - digest: What tells the request from others; `nil` to add its changes in any case.
    /// - Returns: The ids of its changes, and whether they are new.
    /// - Throws: As ``ServiceContext/addChanges(_:saving:)``.
    package func addChanges(
        _ changes: [Change], ofHookRequest digest: String?
    ) async throws -> HookChanges {
        let masked = try prepared(changes)
        return try await environment.store.write { transaction in
            let database = transaction.database
            let now = transaction.now.stored
            try database.run(
                "DELETE FROM hook_request WHERE received_at < ?", [now - Self.hookMemory])
            let known = try database.first(
                "SELECT changes FROM hook_request WHERE digest = ?", [digest]
            ) { $0[0] as String }
            if let known {
                return .known(known.split(separator: " ").compactMap { Int($0) })
            }
            let ids = try masked.map { try transaction.add($0).id }
            if let digest {
                try database.run(
                    "INSERT INTO hook_request (digest, received_at, changes) VALUES (?, ?, ?)",
                    [digest, now, ids.map(String.init).joined(separator: " ")])
            }
            return .added(ids)
        }
    }

    /// Changes as they are stored: bounded, and without secrets.
    private func prepared(_ changes: [Change]) throws -> [Masked<Change>] {
        try changes.map { wanted in
            let (change, cuts) = try wanted.bounded()
            try change.buildProperties.checkSize()
            for cut in cuts { environment.logger.warning("\(cut)") }
            return environment.mask.masked(change)
        }
    }
}
