internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// The hold on a folder that keeps a second master out of it.
final class StoreLock: Sendable {
    private let file: OwnedDescriptor

    /// Takes the folder, making it when it is not there.
    init(folder: String) throws(StoreError) {
        try Self.makeFolder(folder)
        let path = folder + "/lock"
        do {
            file = OwnedDescriptor(
                try FileDescriptor.open(
                    FilePath(path),
                    .readWrite,
                    options: [.create, .closeOnExec],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead]
                )
            )
        } catch {
            throw StoreError(opening: path, folder: folder, cause: error)
        }
        try take(folder: folder, path: path)
    }

    /// Gives the folder free; a second time does nothing.
    ///
    /// A program that is just being started still has a copy of the descriptor, so closing ours
    /// is not enough.
    func release() {
        file.unlock()
        file.close()
    }

    private func take(folder: String, path: String) throws(StoreError) {
        guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
            let fault = Errno(rawValue: errno)
            guard fault == .wouldBlock else {
                throw StoreError(
                    .system,
                    "\(path) cannot be locked (\(fault)); name a folder on a local disk "
                        + "with --basedir",
                    cause: fault
                )
            }
            throw StoreError(.locked, Self.heldMessage(folder: folder, path: path), cause: fault)
        }
        do {
            try file.descriptor.resize(to: 0)
            try file.descriptor.writeAll("\(getpid())\n".utf8)
        } catch {
            throw StoreError(opening: path, folder: folder, cause: error)
        }
    }

    private static func heldMessage(folder: String, path: String) -> String {
        let holder = FileManager.default.contents(atPath: path)
            .map { String(decoding: $0, as: UTF8.self) }
            .flatMap { Int($0.filter(\.isNumber)) }
        let who = holder.map { "another master (process \($0))" } ?? "another master"
        return "\(folder) is in use by \(who); wait for it, end it, or name another folder with "
            + "--basedir"
    }

    private static func makeFolder(_ folder: String) throws(StoreError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true
            )
        } catch {
            throw StoreError(
                .folder,
                "the folder \(folder) cannot be made (\(reason(error))); "
                    + "name another one with --basedir",
                cause: error
            )
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? CocoaError,
            let cause = error.underlying as? POSIXError
        else { return "\(error)" }
        return "\(Errno(rawValue: cause.code.rawValue))"
    }
}

extension StoreError {
    /// Makes a sentence of a file of the store that cannot be opened or written.
    init(opening path: String, folder: String, cause: any Error) {
        switch cause as? Errno {
        case .noSpace?, .diskQuotaExceeded?:
            self.init(
                .full,
                "the disk of \(folder) is full; make room and start again",
                cause: cause
            )
        case .readOnlyFileSystem?, .permissionDenied?, .notPermitted?:
            self.init(
                .readOnly,
                "\(folder) may not be written to (\(cause)); change its permissions, "
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
