import Glibc
import MasterKit
import Synchronization
import SystemPackage

/// A file descriptor that is closed with its last reference, or earlier.
final class OwnedDescriptor: Sendable {
    /// `F_SETPIPE_SZ`, which the Glibc module does not export.
    private static let setPipeSize: CInt = 1031

    let descriptor: FileDescriptor
    private let isOpen = Atomic(true)

    /// Takes ownership of a descriptor.
    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    deinit {
        close()
    }

    /// The number of the descriptor, for the system's calls.
    var number: CInt { descriptor.rawValue }

    /// Closes the descriptor, unless it is already closed.
    func close() {
        guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
        // A failure cannot be handled: the descriptor is released either way.
        _ = Glibc.close(number)
    }

    /// Releases the lock on the file, also for copies of the descriptor, if it is open.
    func unlock() {
        guard isOpen.load(ordering: .acquiring) else { return }
        _ = flock(number, LOCK_UN)
    }

    /// Creates a pipe with a non-blocking read end; neither end is inherited by child processes.
    ///
    /// The system may refuse more than the default 64 KiB to a user with very many pipes, which
    /// only makes the pipe slower.
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

/// A new file with a unique name, accessible only to this user.
struct TemporaryFile: Sendable {
    let path: FilePath
    let descriptor: OwnedDescriptor

    /// Creates the file; its path begins with the given one.
    init(beside path: FilePath) throws(SystemFault) {
        (self.path, descriptor) = try POSIX.makeFile(beside: path)
    }

    /// Unlinks the file.
    func remove() throws(SystemFault) {
        try POSIX.removeFile(path)
    }
}

extension FilePath {
    /// Resolves a command's path: relative ones refer to this folder.
    func place(of path: String) -> FilePath {
        path.isEmpty || path == "." ? self : pushing(FilePath(path))
    }

    /// The path without symbolic links, `.` and `..`; its last components need not exist.
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

    /// The path of the entry itself: links in its parents are resolved, but not the entry.
    var entryWithoutLinks: FilePath {
        guard let name = lastComponent, name.kind == .regular else { return withoutLinks }
        return removingLastComponent().withoutLinks.appending(name)
    }

    /// Whether the path is below a folder; both must be without links.
    func isBelow(_ folder: FilePath) -> Bool {
        self != folder && starts(with: folder)
    }
}
