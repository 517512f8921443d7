internal import Dispatch
package import FoundationEssentials
internal import GRDB
internal import Glibc
package import MasterKit
internal import SystemPackage

/// An opened store and the state found in it.
struct StoreOpening: Sendable {
    let folder: String
    let lock: StoreLock
    let writer: StoreWriter
    let identifier: String
    let endedUncleanly: Bool
    let lastStepID: Int
    let lastLogID: Int
}

extension Store {
    /// Opens and locks the store of a folder, creating both if they do not exist.
    ///
    /// - Parameters:
    ///   - folder: The base folder.
    ///   - durability: What a committed record survives.
    ///   - identity: The master's title and URL, used in records.
    ///   - clock: Returns the current time.
    /// - Returns: The store, which the caller must close.
    /// - Throws: ``StoreError`` with a message that names the folder and the remedy.
    package static func open(
        folder: String, durability: Durability = .process,
        identity: MasterIdentity = MasterIdentity(),
        clock: @escaping @Sendable () -> Date = { Date() }
    ) async throws(StoreError) -> Store {
        let outcome: Result<StoreOpening, StoreError>
        do {
            outcome = try await OwnThread.run {
                Result { () throws(StoreError) in
                    try StoreOpening(
                        folder: folder, durability: durability, identity: identity, clock: clock)
                }
            }
        } catch {
            throw StoreError(.system, "\(error)", cause: error)
        }
        return Store(try outcome.get())
    }
}

extension StoreOpening {
    /// Opens a database that exists, next to a master that may be running.
    ///
    /// - Parameters:
    ///   - path: The path of the database.
    ///   - folder: Its folder.
    ///   - label: The name of the connection in errors.
    /// - Returns: The database, which has the tables of this version.
    /// - Throws: ``StoreError``, also if a master of an older version is running; or an error of
    ///   SQLite.
    static func existing(
        _ path: String, in folder: StoreFolder, label: String
    ) throws -> DatabaseQueue {
        guard try folder.secureDatabase().byteCount ?? 0 > 0 else { throw StoreError(empty: path) }
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.label = label
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try StoreSchema.check(database, at: path)
        let migrator = StoreSchema.migrator
        if try database.read({ try !migrator.hasCompletedMigrations($0) }) {
            // An older master that is running must not find its tables changed.
            let lock = try StoreLock(folder)
            defer { lock.release() }
            try migrator.migrate(database)
        }
        return database
    }

    init(
        folder: String, durability: Durability, identity: MasterIdentity,
        clock: @escaping @Sendable () -> Date
    ) throws(StoreError) {
        let place = StoreFolder(path: folder)
        try place.prepare()
        let lock = try StoreLock(place)
        do {
            try self.init(
                place, lock: lock, durability: durability, identity: identity, clock: clock)
        } catch {
            lock.release()
            throw StoreError(error, at: place.path(of: Self.fileName))
        }
    }

    static let fileName = "buildmaster.sqlite"
    /// The size in bytes of the write-ahead log that triggers a checkpoint: 16 MiB.
    private static let checkpointByteCount = 16 << 20

    private init(
        _ place: StoreFolder, lock: StoreLock, durability: Durability, identity: MasterIdentity,
        clock: @escaping @Sendable () -> Date
    ) throws {
        try StoreFile(in: place).prepare()
        let pool = try DatabasePool(
            path: place.path(of: Self.fileName), configuration: Self.configuration)
        try StoreSchema.upgrade(pool, at: pool.path)
        let found = try pool.writeWithoutTransaction { database in
            // Set after opening, because GRDB sets NORMAL when it turns on the write-ahead log.
            try database.execute(
                sql: "PRAGMA synchronous = \(durability == .power ? "FULL" : "NORMAL")")
            let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
            try database.execute(
                sql: "PRAGMA wal_autocheckpoint = \(Self.checkpointByteCount / pageSize)")
            return try Self.begin(in: database)
        }
        folder = place.path
        self.lock = lock
        identifier = found.identifier
        endedUncleanly = !found.isClean
        lastStepID = found.lastStepID
        lastLogID = found.lastLogID
        writer = try StoreWriter(
            pool: pool, events: EventBus(), identity: identity, durability: durability,
            clock: clock)
        let writer = writer
        try OwnThread.start { writer.run() }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 2
        // The writer ends its transactions itself; otherwise GRDB would trap if a disk error
        // prevented it.
        configuration.allowsUnsafeTransactions = true
        configuration.label = "store"
        return configuration
    }

    private struct Found {
        let identifier: String
        let isClean: Bool
        let lastStepID: Int
        let lastLogID: Int
    }

    private static func begin(in database: Database) throws -> Found {
        var found: Found?
        try database.inTransaction(.immediate) {
            try database.run(
                "INSERT OR IGNORE INTO meta (id, store_id, clean) VALUES (1, ?, 1)",
                [String(UInt64.random(in: .min ... .max), radix: 36)])
            found = try database.first(
                """
                SELECT store_id, clean, (SELECT ifnull(max(id), 0) FROM step),
                    (SELECT ifnull(max(id), 0) FROM log)
                FROM meta
                """
            ) { Found(identifier: $0[0], isClean: $0[1], lastStepID: $0[2], lastLogID: $0[3]) }
            try database.run("UPDATE meta SET clean = 0")
            return .commit
        }
        guard let found else {
            throw StoreError(.damaged, "the table 'meta' of the store has no row; move it away")
        }
        return found
    }
}

/// The database file before it is opened for use: either created as a whole or verified to be a
/// store.
///
/// A new store is created under a temporary name and then renamed. A crash therefore leaves either
/// no store or a complete one, and an empty file means that data was lost.
struct StoreFile {
    private let folder: StoreFolder

    init(in folder: StoreFolder) {
        self.folder = folder
    }

    /// The size of the pages of a new store in bytes. Each commit writes the pages of a few rows in
    /// many tables, which are twice as large by default.
    private static let pageSize = 2048

    private var path: String { folder.path(of: StoreOpening.fileName) }
    private var draftName: String { StoreOpening.fileName + ".new" }

    /// Creates the store, or checks that the existing file is one. The folder must be locked.
    func prepare() throws {
        let found = try folder.secureDatabase()
        guard let byteCount = found.byteCount else {
            guard found.logByteCount ?? 0 == 0 else { throw StoreError(missing: path) }
            return try make()
        }
        guard byteCount > 0 else { throw StoreError(empty: path) }
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue(path: path, configuration: configuration)
        try StoreSchema.check(database, at: path)
        try database.close()
    }

    private func make() throws {
        for suffix in ["", "-journal", "-wal", "-shm"] { try remove(draftName + suffix) }
        for suffix in ["-journal", "-wal", "-shm"] { try remove(StoreOpening.fileName + suffix) }
        let file = try folder.open(draftName, isNew: true)
        let draft = folder.path(of: draftName)
        var configuration = Configuration()
        // A single sync at the end is enough, because the file does not count until it is renamed.
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA page_size = \(Self.pageSize);
                    PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF
                    """)
        }
        let database = try DatabaseQueue(path: draft, configuration: configuration)
        try StoreSchema.migrator.migrate(database)
        try database.close()
        do {
            guard fdatasync(file.number) == 0 else { throw SystemFault() }
            try POSIX.rename(FilePath(draft), to: FilePath(path))
        } catch let fault as SystemFault {
            throw StoreError(
                opening: draft, folder: folder.path, cause: Errno(rawValue: fault.number))
        }
    }

    private func remove(_ name: String) throws(StoreError) {
        do {
            try POSIX.removeFile(FilePath(folder.path(of: name)))
        } catch  where error.number == ENOENT {
            // There is nothing to remove.
        } catch {
            throw StoreError(
                opening: folder.path(of: name), folder: folder.path,
                cause: Errno(rawValue: error.number))
        }
    }
}

/// What a committed record survives.
package enum Durability: String, Sendable, Hashable, CaseIterable {
    /// A crash of the process; a power failure may lose the last second.
    case process
    /// A power failure as well; every commit is synced to disk.
    case power
}
