internal import Dispatch
internal import Glibc
internal import SystemPackage

/// Sees to it that a power cut costs at most the commits of a second.
///
/// Commits go to the write-ahead log, which the system writes to the disk when it likes; so it is
/// asked to, a second after the first commit that it may not have written.
struct LogSync {
    private let path: FilePath
    private let isEnabled: Bool
    private let interval: DispatchTimeInterval
    private var file: OwnedDescriptor?

    /// When the next sync is due.
    private(set) var deadline = DispatchTime.distantFuture

    /// Watches the write-ahead log of a database; with full durability there is nothing to do.
    init(
        database path: String,
        durability: Durability,
        interval: DispatchTimeInterval = .seconds(1)
    ) {
        self.path = FilePath(path + "-wal")
        isEnabled = durability == .process
        self.interval = interval
    }

    /// Notes that something has been committed.
    mutating func noteCommit() {
        guard isEnabled, deadline == .distantFuture else { return }
        deadline = .now() + interval
    }

    /// Writes the commits to the disk when it is time to.
    mutating func syncIfDue() throws {
        guard deadline <= .now() else { return }
        deadline = .distantFuture
        guard try fdatasync(openedLog().number) == 0 else { throw Errno(rawValue: errno) }
    }

    private mutating func openedLog() throws -> OwnedDescriptor {
        if let file { return file }
        let opened = OwnedDescriptor(
            try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        )
        file = opened
        return opened
    }
}
