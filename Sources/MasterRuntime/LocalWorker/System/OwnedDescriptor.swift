import CProcess
import Glibc
import MasterKit
import Synchronization
import SystemPackage

/// A file descriptor that is closed with its last reference, if not before.
final class OwnedDescriptor: Sendable {
    /// `F_SETPIPE_SZ`, which the Glibc module does not have.
    private static let setPipeSize: CInt = 1031

    let descriptor: FileDescriptor
    private let isOpen = Atomic(true)

    /// Takes a descriptor over.
    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    deinit {
        close()
    }

    /// The number of the descriptor, for the system's calls.
    var number: CInt { descriptor.rawValue }

    /// Closes it now, unless that has been done.
    func close() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        // Nothing is left to do about a failure: the number is free either way.
        _ = Glibc.close(number)
    }

    /// Takes away the lock on the file, also for copies of the descriptor, while it is open.
    func unlock() {
        guard isOpen.load(ordering: .acquiring) else { return }
        _ = flock(number, LOCK_UN)
    }

    /// A pipe whose end to read never blocks; neither end passes to a child by itself.
    ///
    /// The system may refuse more than the usual 64 KiB to a user with very many pipes; then the
    /// pipe is only slower.
    static func pipe(
        byteCount: CInt? = nil
    ) throws(CommandError) -> (readEnd: OwnedDescriptor, writeEnd: OwnedDescriptor) {
        do {
            let ends = try FileDescriptor.pipe(options: .closeOnExec)
            _ = fcntl(ends.readEnd.rawValue, F_SETFL, O_NONBLOCK)
            if let byteCount { _ = fcntl(ends.readEnd.rawValue, setPipeSize, byteCount) }
            return (OwnedDescriptor(ends.readEnd), OwnedDescriptor(ends.writeEnd))
        } catch {
            throw CommandError(
                .noResources,
                "no pipe can be opened for a command (\(error)); "
                    + "run fewer commands at once, or raise the limit on open files",
                cause: error
            )
        }
    }
}

extension OwnedDescriptor {
    /// A pseudo-terminal of 80 columns that changes and echoes nothing: our side, which never
    /// blocks, and that of a program.
    static func terminal() throws(CommandError) -> (
        readEnd: OwnedDescriptor, writeEnd: OwnedDescriptor
    ) {
        var (ours, theirs): (CInt, CInt) = (-1, -1)
        let error = unsafe process_open_terminal(&ours, &theirs)
        guard error == 0 else {
            let fault = SystemFault(error)
            throw CommandError(
                .noResources,
                "no pseudo-terminal can be opened for a command (\(fault)); run the step without "
                    + "usePTY, or raise the limit in /proc/sys/kernel/pty/max",
                cause: fault
            )
        }
        return (
            OwnedDescriptor(FileDescriptor(rawValue: ours)),
            OwnedDescriptor(FileDescriptor(rawValue: theirs))
        )
    }
}

/// A new file under a name that nobody else has, readable by this user only.
struct TemporaryFile: Sendable {
    let path: FilePath
    let descriptor: OwnedDescriptor

    /// Makes the file; its path begins with the one given.
    init(beside path: FilePath) throws(SystemFault) {
        (self.path, descriptor) = try POSIX.makeFile(beside: path)
    }

    /// Removes its name.
    func remove() throws(SystemFault) {
        try POSIX.removeFile(path)
    }
}

extension FilePath {
    /// The path as a command means it: relative ones start from this folder.
    func place(of path: String) -> FilePath {
        path.isEmpty || path == "." ? self : pushing(FilePath(path))
    }

    /// The path without symbolic links, `.` and `..`; of its end there need not be anything yet.
    var withoutLinks: FilePath {
        var known = self
        var rest: [Component] = []
        while true {
            if let resolved = POSIX.resolved(known) {
                return resolved.appending(rest.reversed()).lexicallyNormalized()
            }
            guard let last = known.lastComponent, known.removeLastComponent() else {
                return lexicallyNormalized()
            }
            rest.append(last)
        }
    }

    /// The place of the entry itself: links on the way to it are resolved, but not the entry.
    var entryWithoutLinks: FilePath {
        guard let name = lastComponent, name.kind == .regular else { return withoutLinks }
        return removingLastComponent().withoutLinks.appending(name)
    }

    /// Whether it is below a folder; both are without links.
    func isBelow(_ folder: FilePath) -> Bool {
        self != folder && starts(with: folder)
    }
}
