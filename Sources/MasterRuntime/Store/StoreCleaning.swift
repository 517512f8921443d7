internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import MasterKit
internal import SystemPackage

/// What was removed from a base folder, and what was left.
package struct CleanedFolder: Sendable, Hashable {
    /// How many builds were removed, with their steps and logs.
    package internal(set) var buildCount = 0
    /// How many bytes the files had.
    package internal(set) var byteCount = 0
    /// How many of the builders' own folders were removed.
    package internal(set) var workFolderCount = 0
    /// How many builds were left because reports about them are still to be sent.
    package internal(set) var reportedCount = 0
    /// Folders that were left because they are symbolic links.
    package internal(set) var links: [String] = []
}

extension BuildHistory {
    /// Removes builds of a base folder with their logs, and the builders' own folders.
    ///
    /// Builds that have no end yet, and those about which reports are to be sent, are left. Nothing
    /// outside of the folder is touched: symbolic links are removed or left, never followed.
    ///
    /// - Parameters:
    ///   - folder: The base folder.
    ///   - count: How many builds of each builder are left; with any the builders' own folders are.
    /// - Returns: What was removed; `nil` when no master has ever used the folder.
    /// - Throws: ``StoreError``, in particular when a master uses the folder, or why a file can't be
    ///   removed.
    package static func clean(
        folder: String, keepingLast count: Int
    ) async throws -> CleanedFolder? {
        let path = folder + "/" + StoreOpening.fileName
        guard try StoreFolder(path: folder).hasStore() else { return nil }
        return try await OwnThread.run { stop in
            let lock = try StoreLock(StoreFolder(path: folder))
            defer { lock.release() }
            let records: RemovedRecords
            do {
                let database = try open(path, in: folder)
                try StoreSchema.upgrade(database, at: path)
                records = try database.write { try $0.removeBuilds(keepingLast: count) }
                try database.close()
            } catch {
                throw StoreError(reading: error, at: path)
            }
            var cleaning = FolderCleaning(folder: FilePath(folder), files: FileTree(stop))
            try cleaning.removeLogs(keeping: records.kept)
            if count == 0, records.kept.isEmpty { try cleaning.removeWork() }
            cleaning.cleaned.buildCount = records.count
            cleaning.cleaned.reportedCount = records.reportedCount
            return cleaning.cleaned
        }
    }
}

/// A build that is left.
private struct KeptBuild: Sendable {
    let id: Int
    let builder: String
    let number: Int
}

/// What was removed of the store, and what is left there.
private struct RemovedRecords: Sendable {
    let count: Int
    /// How many builds were left because of reports.
    let reportedCount: Int
    let kept: [KeptBuild]
}

extension Database {
    /// The ids of the builds about which reports are still to be made or sent.
    func buildsOfOpenReports() throws -> Set<Int> {
        // Reports of later events are still to be generated, for one reporter at least.
        // The lane of an event of a buildset is its id with a minus.
        let awaited = """
            WITH awaited AS (
                SELECT build_id, lane FROM event
                WHERE seq > (SELECT min(cursor) FROM reporter WHERE cursor >= 0)
                    OR seq IN (SELECT event_seq FROM delivery WHERE state IN ('open', 'parked')))
            SELECT build_id FROM awaited WHERE build_id IS NOT NULL
            UNION SELECT build.id FROM awaited
                JOIN build_request ON buildset_id = -lane JOIN build ON request_id = build_request.id
                WHERE awaited.build_id IS NULL AND lane < 0
            """
        return Set(try numbers(awaited, []))
    }

    /// Removes the records of builds, and of the buildsets that have none left.
    fileprivate func removeBuilds(keepingLast count: Int) throws -> RemovedRecords {
        let old = """
            SELECT id FROM (SELECT id, complete_at,
                row_number() OVER (PARTITION BY builder_id ORDER BY number DESC) AS place FROM build)
            WHERE place > ? AND complete_at IS NOT NULL
            """
        let ids = Set(try numbers(old, [count]))
        let reported = ids.intersection(try buildsOfOpenReports())
        for id in ids.subtracting(reported) {
            try run("DELETE FROM build WHERE id = ?", [id])
        }
        try run(
            """
            WITH RECURSIVE kept (request) AS (
                SELECT request_id FROM build
                UNION SELECT id FROM build_request WHERE complete_at IS NULL
                UNION SELECT id FROM build_request JOIN kept ON collapsed_into = kept.request)
            DELETE FROM buildset WHERE complete_at IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM build_request
                WHERE buildset_id = buildset.id AND id IN (SELECT request FROM kept))
            """)
        let kept = try all(
            "SELECT build.id, name, number FROM build JOIN builder ON builder.id = builder_id"
        ) { KeptBuild(id: $0[0], builder: $0[1], number: $0[2]) }
        return RemovedRecords(
            count: ids.count - reported.count, reportedCount: reported.count, kept: kept)
    }
}

/// Removes files below a base folder, and follows no link on the way.
struct FolderCleaning {
    let folder: FilePath
    let files: FileTree
    var cleaned = CleanedFolder()

    /// Removes the logs of all builds but some, and whatever else lies among the logs.
    fileprivate mutating func removeLogs(keeping builds: [KeptBuild]) throws {
        let logs = folder.appending("logs")
        let numbers = Dictionary(grouping: builds) { LogFile.folder(of: $0.builder) }
            .mapValues { Set($0.map { "\($0.number)" }) }
        // Earlier versions named the folder by the build's row in the store.
        let ids = Set(builds.map { "\($0.id)" })
        for entry in try entries(in: logs) {
            let path = logs.appending(entry)
            let kept = numbers["logs/\(entry)"]
            guard kept != nil || ids.contains(entry), try isFolder(path) else {
                try remove(path)
                continue
            }
            for inner in try entries(in: path) {
                let inside = path.appending(inner)
                let isKept =
                    try isFolder(inside) ? kept?.contains(inner) ?? false : ids.contains(entry)
                if !isKept { try remove(inside) }
            }
        }
    }

    /// Removes the builders' own folders, unless they are kept elsewhere.
    mutating func removeWork() throws {
        let work = folder.appending("work")
        if try kind(of: work) == S_IFLNK { cleaned.links.append(work.string) }
        for entry in try entries(in: work) {
            try remove(work.appending(entry))
            cleaned.workFolderCount += 1
        }
    }

    mutating func remove(_ path: FilePath) throws {
        cleaned.byteCount += try size(of: path)
        try files.remove(path)
    }

    private func entries(in folder: FilePath) throws -> [String] {
        guard try isFolder(folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
    }

    private func isFolder(_ path: FilePath) throws -> Bool {
        try kind(of: path) == S_IFDIR
    }

    /// What stands at a path itself, one of `S_IFMT`'s; `nil` when there is nothing.
    private func kind(of path: FilePath) throws -> mode_t? {
        do {
            return try POSIX.status(of: path, following: false).st_mode & S_IFMT
        } catch  where error.number == ENOENT {
            return nil
        }
    }

    /// The bytes of a file, or of all files below a folder; 0 if there is nothing.
    func size(of path: FilePath) throws -> Int {
        guard let kind = try kind(of: path) else { return 0 }
        guard kind == S_IFDIR else {
            return Int(try POSIX.status(of: path, following: false).st_size)
        }
        var sum = 0
        for entry in try entries(in: path) { sum += try size(of: path.appending(entry)) }
        return sum
    }
}
