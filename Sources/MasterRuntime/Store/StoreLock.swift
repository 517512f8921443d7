internal import Glibc
internal import SystemPackage

/// A lock on a folder that keeps a second master from using it.
final class StoreLock: Sendable {
    static let fileName = "lock"

    private let file: OwnedDescriptor

    /// Locks an existing folder. Blocks.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - patience: How long a lock that no master holds is waited for: a process that was being
    ///     spawned when its master was killed has a copy until it runs its program.
    /// - Throws: ``StoreError``, also if the folder is locked.
    init(_ folder: StoreFolder, patience: Duration = .seconds(1)) throws(StoreError) {
        let path = folder.path(of: Self.fileName)
        file = try folder.open(Self.fileName)
        let end = ContinuousClock.now + patience
        while flock(file.number, LOCK_EX | LOCK_NB) != 0 {
            let fault = Errno(rawValue: errno)
            guard fault == .wouldBlock else { throw Self.unlockable(path, fault) }
            let holder = LockHolder(reading: file)
            guard holder?.name == nil, .now < end else {
                throw Self.held(folder, by: holder, path: path)
            }
            usleep(10_000)
        }
        // Somebody may have removed the file, and with it the lock of a master that is running.
        guard !ControlSocket.isServed(in: folder.path) else { throw Self.unlocked(folder) }
        do {
            try file.descriptor.resize(to: 0)
            try file.descriptor.seek(offset: 0, from: .start)
            try file.descriptor.writeAll(LockHolder.current.text.utf8)
        } catch {
            throw StoreError(opening: path, folder: folder.path, cause: error)
        }
    }

    /// The last master that locked the folder, such as `process 4711`; `nil` if it is no longer
    /// running.
    ///
    /// - Throws: ``SystemFault`` if this user cannot look into the folder.
    static func holder(in folder: String) throws(SystemFault) -> String? {
        let file: OwnedDescriptor
        do {
            file = try POSIX.open(FilePath(folder).appending(fileName), O_RDONLY | O_NOFOLLOW)
        } catch  where [ENOENT, ENOTDIR].contains(error.number) {
            return nil
        }
        guard let holder = LockHolder(reading: file), let name = holder.name else { return nil }
        // Of another machine, or of this one before it was booted, only the lock itself tells.
        if !holder.isHere, flock(file.number, LOCK_SH | LOCK_NB) == 0 { return nil }
        return name
    }

    /// Unlocks the folder; a second call does nothing.
    ///
    /// Closing the descriptor is not enough: a process that is just being spawned still has a copy.
    func release() {
        file.unlock()
        file.close()
    }

    private static func held(
        _ folder: StoreFolder, by holder: LockHolder?, path: String
    ) -> StoreError {
        guard let who = holder?.name else {
            return StoreError(
                .locked,
                "\(folder.path) is locked by a process that is not the last master to use it; find "
                    + "it with 'fuser -v \(path)' and end it, or name another folder with --basedir"
            )
        }
        return StoreError(
            .locked,
            "\(folder.path) is in use by another master (\(who)); wait for it, end it, or name "
                + "another folder with --basedir"
        )
    }

    private static func unlocked(_ folder: StoreFolder) -> StoreError {
        StoreError(
            .locked,
            "\(folder.path) is in use by another master, though its file 'lock' was removed; end it "
                + "with 'stop', or name another folder with --basedir")
    }

    private static func unlockable(_ path: String, _ fault: Errno) -> StoreError {
        StoreError(
            .system,
            "\(path) cannot be locked (\(fault)); name a folder on a local disk with --basedir",
            cause: fault)
    }
}

/// The process that wrote a lock file, identified uniquely across process id reuse and reboots.
///
/// The lock itself is held by the kernel. The file's content only serves to name the holder, and is
/// trusted only while that process is running.
private struct LockHolder {
    let process: Int
    /// The start time of the process in clock ticks since boot; it differs if a process id is
    /// reused.
    let start: String
    /// The boot id of the system; unique per machine and boot.
    let boot: String
    let host: String

    static var current: LockHolder {
        LockHolder(
            process: Int(getpid()), start: startTime(of: Int(getpid())) ?? "unknown",
            boot: SystemFile.boot, host: SystemFile.host)
    }

    /// The file's content.
    var text: String { "process \(process)\nstart \(start)\nboot \(boot)\nhost \(host)\n" }

    /// Parses a lock file; `nil` if its master did not finish writing it.
    init?(reading file: OwnedDescriptor) {
        let bytes: [UInt8]
        do {
            try file.descriptor.seek(offset: 0, from: .start)
            bytes = try POSIX.read(file.number, maxByteCount: 4096)
        } catch {
            return nil  // The lock counts, whatever the file says.
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }
        let values = Dictionary(
            lines.filter { $0.count == 2 }.map { ($0[0], String($0[1])) },
            uniquingKeysWith: { first, _ in first })
        guard let process = values["process"].flatMap({ Int($0) }), let start = values["start"],
            let boot = values["boot"], let host = values["host"]
        else { return nil }
        self.init(process: process, start: start, boot: boot, host: host)
    }

    private init(process: Int, start: String, boot: String, host: String) {
        self.process = process
        self.start = start
        self.boot = boot
        self.host = host
    }

    /// Whether it is a process of this machine since it was booted.
    var isHere: Bool { boot == SystemFile.boot && host == SystemFile.host }

    /// The process for a message, or `nil` if it is no longer running.
    var name: String? {
        guard isHere else { return "process \(process) on \(host)" }
        return Self.startTime(of: process) == start ? "process \(process)" : nil
    }

    private static func startTime(of process: Int) -> String? {
        // One that has ended, but whose parent has not asked how, holds nothing.
        pid_t(exactly: process).flatMap { ProcessStatus(of: $0) }
            .flatMap { $0.hasEnded ? nil : $0.startTime }
    }
}

extension StoreError {
    /// The error for a file of the store that cannot be opened or written.
    init(opening path: String, folder: String, cause: any Error) {
        switch cause as? Errno {
        case .noSpace?, .diskQuotaExceeded?:
            self.init(
                .full, "the disk of \(folder) is full; free disk space and start again",
                cause: cause)
        case .readOnlyFileSystem?:
            self.init(
                .readOnly,
                "\(folder) is on a file system that is read-only; see the system's log for the "
                    + "reason and make it writable, or name another folder with --basedir",
                cause: cause)
        case .permissionDenied?, .notPermitted?:
            self.init(
                .readOnly,
                "\(folder) is not writable (\(cause)); change its permissions, "
                    + "or name another folder with --basedir",
                cause: cause
            )
        default:
            self.init(
                .folder,
                "\(path) cannot be written (\(cause)); name another folder with "
                    + "--basedir",
                cause: cause
            )
        }
    }
}
