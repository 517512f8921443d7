import CProcess
import Glibc
import Synchronization

/// The number by which the processes of one command are known, see `process_each`.
///
/// The digits before the last eight are those of the master's process; nobody else has them.
struct ProcessMark: Hashable, Sendable {
    private static let count: UInt64 = 100_000_000
    private static let last = Atomic<UInt64>(0)

    /// What can stand before the last eight digits: always eleven others.
    static let prefixes: Range<UInt64> = 10_000_000_000..<92_233_720_368
    /// The digits that all commands of this process have in common.
    static let ownPrefix = UInt64.random(in: prefixes)

    let number: UInt64

    /// A mark that no other command has.
    static func next() -> ProcessMark {
        let count = last.add(1, ordering: .relaxed).newValue
        return ProcessMark(number: ownPrefix * Self.count + count % Self.count)
    }

    /// The processes of all commands that have a prefix.
    static func selection(prefix: UInt64) -> process_selection {
        process_selection(
            first_mark: prefix * count, end_mark: (prefix + 1) * count, session: 0, except: 0)
    }
}

/// The processes of a command: whoever has its mark or is in its session.
///
/// The mark stays with a process that leaves the session or whose parent has gone. The session
/// also holds processes of other users, whose marks cannot be read.
struct CommandProcesses: Sendable {
    /// A process that is alive.
    struct Member: Sendable, Hashable, CustomStringConvertible {
        var process: pid_t
        var name: String

        var description: String { "\(name) (\(process))" }
    }

    /// How many processes are named.
    private static let capacity = 256

    /// The process that was started; its number is also that of its group and its session.
    ///
    /// It has not been waited for, so the number belongs to nobody else.
    let leader: pid_t
    let mark: ProcessMark

    /// The processes that are alive. Those that have ended and wait for their parent are not.
    func members(besidesLeader: Bool = false) -> [Member] {
        Self.members(selection(besidesLeader: besidesLeader))
    }

    /// Sends signals to all of them.
    func signal(_ numbers: [CInt]) {
        for number in numbers {
            // The group gets it at once, while its processes cannot start others.
            _ = kill(-leader, number)
            Self.signal(number, selection(besidesLeader: false))
        }
    }

    private func selection(besidesLeader: Bool) -> process_selection {
        process_selection(
            first_mark: mark.number, end_mark: mark.number + 1, session: leader,
            except: besidesLeader ? leader : 0)
    }

    static func signal(_ number: CInt, _ selection: process_selection) {
        unsafe withUnsafePointer(to: selection) { selection in
            _ = unsafe process_each(selection, number, nil, 0)
        }
    }

    static func members(_ selection: process_selection) -> [Member] {
        let processes = unsafe [pid_t](unsafeUninitializedCapacity: capacity) { found, count in
            let total = unsafe withUnsafePointer(to: selection) { selection in
                unsafe process_each(selection, 0, found.baseAddress, CInt(capacity))
            }
            count = min(Int(total), capacity)
        }
        return processes.compactMap { member($0) }
    }

    private static func member(_ process: pid_t) -> Member? {
        guard let status = ProcessStatus(of: process), !status.hasEnded else { return nil }
        return Member(process: process, name: status.name)
    }
}

/// The commands of a worker that have not ended, for an end that cannot wait.
final class LiveCommands: Sendable {
    private let commands = Mutex<[ProcessMark: CommandProcesses]>([:])

    /// Runs a body while a command counts as live.
    func with<Value>(_ command: CommandProcesses, _ body: () -> Value) -> Value {
        commands.withLock { $0[command.mark] = command }
        defer { commands.withLock { $0[command.mark] = nil } }
        return body()
    }

    /// Sends KILL to all their processes and waits for nothing.
    func kill() {
        for command in commands.withLock({ $0.values }) { command.signal([SIGKILL]) }
    }
}
