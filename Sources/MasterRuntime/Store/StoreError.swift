internal import GRDB

/// Why the store cannot be opened or cannot keep something.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: String, Sendable, Hashable {
        /// The folder is missing and cannot be made, or is no folder.
        case folder
        /// The folder or the database may not be written to.
        case readOnly
        /// No space is left.
        case full
        /// Another master uses the folder.
        case locked
        /// Another program has kept the database busy for too long.
        case busy
        /// The database cannot be understood.
        case damaged
        /// A newer program has written the database.
        case newer
        /// The database is of another program.
        case foreign
        /// The disk or the system fails.
        case system
        /// A record is not there, or not in a state that allows the transition.
        case conflict
        /// A transition could not be carried out.
        case transition
        /// The store has been closed.
        case closed
    }

    /// The kind of failure.
    public let code: Code
    /// What happened and what can be done about it, in one sentence.
    public let message: String
    /// What lies behind it.
    public let cause: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The sentence.
    public var description: String { message }
}

extension StoreError {
    /// Makes a sentence of whatever went wrong in a transition or a query.
    init(_ error: any Error, at path: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError: self.init(database: error, at: path)
        default: self.init(.transition, "a record could not be kept: \(error)", cause: error)
        }
    }

    /// Whether nothing can be written any more after this.
    var stopsStore: Bool {
        switch code {
        case .readOnly, .full, .busy, .damaged, .system: true
        case .folder, .locked, .newer, .foreign, .conflict, .transition, .closed: false
        }
    }

    private init(database error: DatabaseError, at path: String) {
        let reason = error.message ?? error.resultCode.description
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.full, Self.fullMessage(path), cause: error)
        case .SQLITE_READONLY, .SQLITE_PERM:
            self.init(.readOnly, Self.readOnlyMessage(path), cause: error)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            self.init(.damaged, Self.damagedMessage(path, reason: reason), cause: error)
        case .SQLITE_ERROR where reason.hasPrefix(Self.missingTable):
            self.init(lacking: String(reason.dropFirst(Self.missingTable.count)), at: path)
        case .SQLITE_MISUSE:
            self.init(.closed, "\(path) has been closed", cause: error)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.busy, Self.busyMessage(path), cause: error)
        case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_NOMEM, .SQLITE_PROTOCOL, .SQLITE_NOLFS:
            self.init(.system, Self.systemMessage(path, reason: reason), cause: error)
        default:
            self.init(.transition, "a record could not be kept: \(reason)", cause: error)
        }
    }

    /// How SQLite says that a table is missing; the name follows.
    private static let missingTable = "no such table: "
    private static let wayOut =
        "restore it from a backup, or move it away, with the files -wal and -shm beside it, and a "
        + "new one is begun"

    /// Makes a sentence of a store that lacks one of its tables.
    init(lacking table: String, at path: String) {
        self.init(.damaged, "\(path) is damaged, it lacks the table '\(table)'; \(Self.wayOut)")
    }

    /// Makes a sentence of a store that is there without its content.
    init(empty path: String) {
        self.init(
            .damaged,
            "\(path) is damaged: it is empty, though a store never is; reports that were not yet "
                + "delivered are lost with it; \(Self.wayOut)"
        )
    }

    /// Makes a sentence of a store that is missing beside its write-ahead log.
    init(missing path: String) {
        self.init(
            .damaged,
            "\(path) is missing, but \(path)-wal is there with the newest records; restore it from "
                + "a backup, or move that file away, and a new store is begun"
        )
    }

    /// Makes a sentence of a database of another program.
    init(foreign path: String) {
        self.init(
            .foreign,
            "\(path) is a database of another program, and is left as it is; move it away, or name "
                + "another folder with --basedir"
        )
    }

    private static func fullMessage(_ path: String) -> String {
        "the disk of \(path) is full; recording and builds have stopped; "
            + "free disk space and start again"
    }

    private static func readOnlyMessage(_ path: String) -> String {
        "\(path) is not writable; change its permissions, or name another folder with "
            + "--basedir"
    }

    private static func damagedMessage(_ path: String, reason: String) -> String {
        "\(path) is damaged (\(reason)); \(wayOut)"
    }

    private static func busyMessage(_ path: String) -> String {
        "\(path) is locked by another program; stop it and start again"
    }

    fileprivate static func systemMessage(_ path: String, reason: String) -> String {
        "\(path) cannot be read or written (\(reason)); look at the disk and at the limits of the "
            + "process, and start again"
    }
}

extension StoreError {
    /// Makes a sentence of a query that failed.
    init(reading error: any Error, at path: String) {
        let known = StoreError(error, at: path)
        guard known.code == .transition else {
            self = known
            return
        }
        let reason = (error as? DatabaseError)?.message ?? "\(error)"
        self.init(.transition, "a record could not be read: \(reason)", cause: error)
    }
}

extension StoreError {
    /// Makes a sentence of a disk that does not keep what it is given.
    init(syncing path: String, cause: any Error) {
        self.init(.system, Self.systemMessage(path, reason: "\(cause)"), cause: cause)
    }
}
