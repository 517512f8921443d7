import Glibc
import SystemPackage

/// The session that a command leads, with all processes that have not left it by `setsid`.
///
/// It is found again in `/proc`, since programs such as `timeout` and shells with job control put
/// their children into process groups of their own: a signal to the leader's group would miss them.
struct ProcessSession: Sendable {
    /// A process of the session that is alive.
    struct Member: Sendable, Hashable {
        var process: pid_t
        var group: pid_t
        var name: String
    }

    /// The number of the session, of the process that leads it, and of that one's group.
    let leader: pid_t

    /// Whether there is a process in the leader's group: a cheap look, after the leader is gone.
    var hasGroup: Bool {
        kill(-leader, 0) == 0 || errno == EPERM
    }

    /// The processes that are alive. Those that have ended and wait for their parent are not.
    func members() -> [Member] {
        let names: [FilePath.Component]
        do {
            names = try POSIX.names(in: "/proc")
        } catch {
            // Without /proc nobody can be found; the leader's group is signalled all the same.
            return []
        }
        return names.compactMap { name in
            pid_t(name.string).flatMap { member($0) }
        }
    }

    /// Sends signals to every process group of the session.
    ///
    /// The leader's own group is always among them while the leader has not been waited for: until
    /// then its number belongs to nobody else.
    func signal(_ numbers: [CInt], isLeaderKept: Bool) {
        var groups = Set(members().map(\.group))
        if isLeaderKept { groups.insert(leader) }
        for group in groups where group > 1 {
            // A group that has gone in the meantime, or belongs to another user, stays as it is;
            // whoever asked looks again.
            for number in numbers { _ = kill(-group, number) }
        }
    }

    /// Reads `/proc/N/stat`: number, name in parentheses, state, parent, group, session.
    private func member(_ process: pid_t) -> Member? {
        guard let line = Self.read(FilePath("/proc/\(process)/stat")),
            let open = line.firstIndex(of: UInt8(ascii: "(")),
            let close = line.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let name = String(decoding: line[(open + 1)..<close], as: UTF8.self)
        let rest = String(decoding: line[(close + 1)...], as: UTF8.self)
        let fields = rest.split(separator: " ", maxSplits: 4)
        guard fields.count > 3, let group = pid_t(fields[2]), pid_t(fields[3]) == leader,
            fields[0] != "Z", fields[0] != "X"
        else { return nil }
        return Member(process: process, group: group, name: name)
    }

    /// The first bytes of a small file, or none when the process has gone.
    private static func read(_ path: FilePath) -> [UInt8]? {
        do {
            let file = try POSIX.open(path, O_RDONLY)
            return try POSIX.read(file.number, maxByteCount: 512)
        } catch {
            return nil
        }
    }
}
