import Glibc
import MasterKit
import SystemPackage

/// The sockets that listen at a port of this machine, by the numbers of their inodes.
struct ListeningSockets {
    /// The state of a listening socket in `/proc/net/tcp`.
    private static let listening = "0A"

    private let inodes: Set<Substring>

    /// Finds the sockets; `nil` if the system does not tell.
    init?(at port: Int) {
        var inodes: Set<Substring> = []
        var isKnown = false
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            guard let text = SystemFile.text(of: FilePath(path)) else { continue }
            isKnown = true
            for line in text.split(separator: "\n").dropFirst() {
                // Number, own address and port, other address, state, ..., inode.
                let values = line.split(separator: " ")
                guard values.count > 9, values[3] == Self.listening,
                    let own = values[1].split(separator: ":").last, Int(own, radix: 16) == port
                else { continue }
                inodes.insert(values[9])
            }
        }
        guard isKnown else { return nil }
        self.inodes = inodes
    }

    /// Whether a process has one of the sockets; `nil` if its files can't be listed.
    func isOpen(in process: pid_t) -> Bool? {
        let folder = FilePath("/proc/\(process)/fd")
        do {
            return try POSIX.names(in: folder).contains { name in
                // The file may have been closed meanwhile.
                guard let target = try? POSIX.target(ofLink: folder.appending(name)).string,
                    target.hasPrefix("socket:[")
                else { return false }
                return inodes.contains(target.dropFirst("socket:[".count).dropLast())
            }
        } catch {
            // It belongs to another user, or has ended.
            return [EACCES, EPERM].contains(error.number) ? nil : false
        }
    }
}

extension LocalWorker: ListenerLookup {
    /// Whether a process of a running command listens at a port; `nil` if that can't be told.
    package func isListening(process: Int, at port: Int) async -> Bool? {
        do {
            return try await OwnThread.run {
                // It has ended.
                guard let command = commands.command(ledBy: process) else { return false }
                guard let sockets = ListeningSockets(at: port) else { return nil }
                let answers = command.members().map { sockets.isOpen(in: $0.process) }
                if answers.contains(true) { return true }
                return answers.contains(nil) ? nil : false
            }
        } catch {
            return nil  // The system has no thread for it.
        }
    }
}
