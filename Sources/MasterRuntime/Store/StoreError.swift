internal import GRDB

/// A failure to open the store or to write to it.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package enum Code: String, Sendable, Hashable {
        /// The folder cannot be created or used, for example because it is not a folder or belongs
        /// to another user.
        case folder
        /// The folder or the database is not writable.
        case readOnly
        /// The disk is full.
        case full
        /// Another master is using the folder.
        case locked
        /// Another program kept the database locked for too long.
        case busy
        /// The database is damaged.
        case damaged
        /// The database was written by a newer version of this program.
        case newer
        /// The database belongs to another program.
        case foreign
        /// The disk or the operating system failed.
        case system
        /// A record does not exist, or is not in a state that allows the transition.
        case conflict
        /// A transition failed.
        case transition
        /// The store has been closed.
        case closed
    }

    /// The kind of failure.
    package let code: Code
    /// What happened and how to fix it, in one sentence.
    package let message: String
    /// The underlying error.
    package let cause: (any Error)?

    /// Creates an error.
    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message.
    package var description: String { message }
}

extension StoreError {
    /// Wraps any error from a transition or a query.
    init(_ error: any Error, at path: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError: self.init(database: error, at: path)
        default: self.init(.transition, "a record could not be kept: \(error)", cause: error)
        }
    }

    /// Whether the store can no longer write after this error.
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

    /// The prefix of SQLite's message for a missing table; the table's name follows.
    private static let missingTable = "no such table: "
    private static let wayOut =
        "restore it from a backup, or move it and its -wal and -shm files away to start with an "
        + "empty one"

    /// The error for a store that lacks one of its tables.
    init(lacking table: String, at path: String) {
        self.init(.damaged, "\(path) is damaged, it lacks the table '\(table)'; \(Self.wayOut)")
    }

    /// The error for a store whose file is empty.
    init(empty path: String) {
        self.init(
            .damaged,
            "\(path) is damaged: it is empty, though a store never is; reports that were not yet "
                + "delivered are lost with it; \(Self.wayOut)"
        )
    }

    /// The error for a store whose database is missing although its write-ahead log exists.
    init(missing path: String) {
        self.init(
            .damaged,
            "\(path) is missing, but \(path)-wal is there with the newest records; restore it from "
                + "a backup, or move that file away to start with an empty store"
        )
    }

    /// The error for another program's database.
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
    /// Wraps the error of a failed query.
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
    /// The error for a failed sync to disk.
    init(syncing path: String, cause: any Error) {
        self.init(.system, Self.systemMessage(path, reason: "\(cause)"), cause: cause)
    }
}
