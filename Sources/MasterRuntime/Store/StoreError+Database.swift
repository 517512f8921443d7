internal import GRDB

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
        case .folder, .locked, .newer, .conflict, .transition, .closed: false
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

    private static func fullMessage(_ path: String) -> String {
        "the disk of \(path) is full, nothing more is recorded and no build is started; "
            + "make room and start again"
    }

    private static func readOnlyMessage(_ path: String) -> String {
        "\(path) may not be written to; change its permissions, or name another folder with "
            + "--basedir"
    }

    private static func damagedMessage(_ path: String, reason: String) -> String {
        "\(path) is damaged (\(reason)); move it away, with the files -wal and -shm beside it, "
            + "and a new one is begun"
    }

    private static func busyMessage(_ path: String) -> String {
        "another program keeps \(path) locked; end it and start again"
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
        self.init(
            .system,
            Self.systemMessage(path, reason: "\(cause)"),
            cause: cause
        )
    }
}
