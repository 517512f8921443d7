import Glibc
import MasterKit
import SystemPackage

/// Tells which files of folders change, without those in the folders below them.
package final class FolderWatch: Sendable {
    /// What has changed.
    package struct Changes: Sendable {
        /// The paths.
        package var paths: Set<String> = []
        /// Whether more has changed than the system could tell, or folders came.
        package var isUncertain = false
        /// Whether a watched folder was itself moved or deleted.
        package var hasLostFolder = false
        package var isEmpty: Bool { paths.isEmpty && !isUncertain && !hasLostFolder }

        /// Adds what another watch has seen.
        package mutating func merge(_ others: Changes) {
            paths.formUnion(others.paths)
            isUncertain = isUncertain || others.isUncertain
            hasLostFolder = hasLostFolder || others.hasLostFolder
        }
    }

    private static let mask = UInt32(
        IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
            | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
    private static let bufferByteCount = 64 << 10
    private static let headByteCount = 16

    private let events: OwnedDescriptor
    private let stopPipe: WakePipe
    private let folders: [CInt: String]
    /// Whether all folders existed.
    package let isComplete: Bool

    /// Begins to watch.
    ///
    /// - Throws: ``CommandError`` if there are more folders than the system can watch.
    package init(_ paths: [String]) throws {
        let number = inotify_init1(CInt(IN_NONBLOCK) | CInt(IN_CLOEXEC))
        guard number >= 0 else {
            throw CommandError("files cannot be watched", SystemFault())
        }
        events = OwnedDescriptor(FileDescriptor(rawValue: number))
        stopPipe = try WakePipe()
        var folders: [CInt: String] = [:]
        var isComplete = true
        for path in paths {
            let watch = unsafe inotify_add_watch(number, path, Self.mask)
            if watch >= 0 {
                folders[watch] = path
            } else if errno == ENOSPC {
                throw CommandError(
                    .noResources,
                    "\(paths.count) folders are more than the system can watch; raise "
                        + "fs.inotify.max_user_watches with sysctl, or let git ignore some")
            } else if errno == ENOENT || errno == ENOTDIR {
                isComplete = false
            } else if errno != EACCES {
                throw CommandError("\(path) cannot be watched", SystemFault())
            }
        }
        self.folders = folders
        self.isComplete = isComplete
    }

    /// Ends waiting, now and in future.
    package func stop() { stopPipe.wake() }

    /// Waits for a change, and until nothing has changed for a while.
    ///
    /// - Returns: What has changed; nothing if it was stopped.
    package func next(quiet: Duration) async throws -> Changes {
        try await OwnThread.run { [self] in
            var changes = Changes()
            var isWaiting = true
            while isWaiting {
                switch wait(changes.isEmpty ? -1 : CInt(quiet / .milliseconds(1))) {
                case nil: return Changes()
                case true?: read(&changes)
                case false?: isWaiting = false
                }
            }
            return changes
        }
    }

    /// What has changed since it was last asked.
    package func pending() -> Changes {
        var changes = Changes()
        read(&changes)
        return changes
    }

    /// Waits at most some milliseconds; `nil` when it was stopped.
    private func wait(_ milliseconds: CInt) -> Bool? {
        var polled = [
            pollfd(fd: events.number, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopPipe.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let count = unsafe poll(&polled, 2, milliseconds)
        if polled[1].revents != 0 { return nil }
        return count > 0
    }

    private func read(_ changes: inout Changes) {
        while true {
            let bytes: [UInt8]
            do {
                bytes = try POSIX.read(events.number, maxByteCount: Self.bufferByteCount)
            } catch {
                return  // Nothing is left.
            }
            guard !bytes.isEmpty else { return }
            note(bytes[...], &changes)
        }
    }

    /// Takes events apart: the watch, its mask, a cookie, the length of the name, and the name.
    private func note(_ bytes: ArraySlice<UInt8>, _ changes: inout Changes) {
        var rest = bytes
        func number(at offset: Int) -> UInt32 {
            rest.dropFirst(offset).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        while rest.count >= Self.headByteCount {
            let (watch, mask) = (CInt(bitPattern: number(at: 0)), number(at: 4))
            let length = Int(number(at: 12))
            let name = rest.dropFirst(Self.headByteCount).prefix(length).prefix { $0 != 0 }
            rest = rest.dropFirst(Self.headByteCount + length)
            if mask & UInt32(IN_Q_OVERFLOW) != 0 { changes.isUncertain = true }
            if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF) != 0 { changes.hasLostFolder = true }
            guard let folder = folders[watch], !name.isEmpty else { continue }
            changes.paths.insert("\(folder)/\(String(decoding: name, as: UTF8.self))")
        }
    }
}

extension FolderWatch {
    /// As many as the system follows.
    private static let linkLimit = 40

    /// The file that an absolute path leads to, and the symbolic links on the way: when one of them
    /// changes, the path has another content.
    package static func places(of path: String) -> [String] {
        var links: [String] = []
        var place = FilePath("/")
        var rest = Array(FilePath(path).components.reversed())
        while let component = rest.popLast() {
            guard component.kind == .regular else {
                if component.kind == .parentDirectory { place.removeLastComponent() }
                continue
            }
            let entry = place.appending(component)
            guard links.count < linkLimit, let target = target(of: entry) else {
                place = entry
                continue
            }
            links.append(entry.string)
            if target.isAbsolute { place = "/" }
            rest += target.components.reversed()
        }
        return links + [place.string]
    }

    private static func target(of path: FilePath) -> FilePath? {
        do {
            return try POSIX.target(ofLink: path)
        } catch {
            return nil  // Not a link, or not there.
        }
    }
}
