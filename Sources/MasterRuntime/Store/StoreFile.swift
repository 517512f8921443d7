internal import GRDB
internal import Glibc
internal import SystemPackage

/// The database of a folder before it is used: made as a whole, or found to be a store.
///
/// A new store is made under another name and then renamed. So a kill at any moment leaves either
/// none or a whole one, and one that is empty has lost what was in it.
struct StoreFile {
    private let folder: StoreFolder

    init(in folder: StoreFolder) {
        self.folder = folder
    }

    private var path: String { folder.path(of: StoreOpening.fileName) }
    private var draftName: String { StoreOpening.fileName + ".new" }

    /// Makes the store, or checks that what is there is one; the folder must be held.
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
        // One write to the disk at the end is enough: before the renaming nothing counts.
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
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
            // That is what is wanted.
        } catch {
            throw StoreError(
                opening: folder.path(of: name), folder: folder.path,
                cause: Errno(rawValue: error.number))
        }
    }
}
