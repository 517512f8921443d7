import CProcess
import Glibc
import Synchronization

/// The number that identifies the processes of one command; see `process_each`.
///
/// The digits before the last eight identify the master's process.
struct ProcessMark: Hashable, Sendable {
    private static let count: UInt64 = 100_000_000
    private static let last = Atomic<UInt64>(0)

    /// The possible values of the digits before the last eight: always eleven digits.
    static let prefixes: Range<UInt64> = 10_000_000_000..<92_233_720_368
    /// The leading digits that all commands of this process share.
    static let ownPrefix = UInt64.random(in: prefixes)

    let number: UInt64

    /// A mark that no other command has.
    static func next() -> ProcessMark {
        let count = last.add(1, ordering: .relaxed).newValue
        return ProcessMark(number: ownPrefix * Self.count + count % Self.count)
    }

    /// Selects the processes of all commands with a prefix.
    static func selection(prefix: UInt64) -> process_selection {
        process_selection(
            first_mark: prefix * count, end_mark: (prefix + 1) * count, session: 0, except: 0,
            except_group: 0)
    }
}

/// The processes of a command: all that have its mark or are in its session.
///
/// A process keeps the mark when it leaves the session or its parent exits. The session also
/// includes processes of other users, whose marks cannot be read.
struct CommandProcesses: Sendable {
    /// A running process.
    struct Member: Sendable, Hashable, CustomStringConvertible {
        var process: pid_t
        var name: String

        var description: String { "\(name) (\(process))" }
    }

    /// The maximum number of processes listed.
    static let capacity = 256

    /// The process that was started; its id is also that of its group and its session.
    ///
    /// It has not been reaped, so the id cannot be reused.
    let leader: pid_t
    let mark: ProcessMark

    /// The running processes, without zombies.
    func members(besidesLeader: Bool = false) -> [Member] {
        Self.members(selection(except: besidesLeader ? leader : 0))
    }

    /// Sends signals to all processes of the command, to each once: for many programs a second one
    /// means to end at once.
    func signal(_ numbers: [CInt]) {
        for number in numbers {
            // The group receives the signal atomically, so its processes cannot start others
            // meanwhile.
            _ = kill(-leader, number)
            Self.signal(number, selection(exceptGroup: leader))
        }
    }

    private func selection(except: pid_t = 0, exceptGroup: pid_t = 0) -> process_selection {
        process_selection(
            first_mark: mark.number, end_mark: mark.number + 1, session: leader, except: except,
            except_group: exceptGroup)
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

/// The running commands of a worker, for a shutdown that cannot wait.
final class LiveCommands: Sendable {
    private let commands = Mutex<[ProcessMark: CommandProcesses]>([:])

    /// Runs a closure while a command is registered as running.
    func with<Value>(_ command: CommandProcesses, _ body: () -> Value) -> Value {
        commands.withLock { $0[command.mark] = command }
        defer { commands.withLock { $0[command.mark] = nil } }
        return body()
    }

    /// The running command whose program has a process number.
    func command(ledBy process: Int) -> CommandProcesses? {
        commands.withLock { $0.values.first { Int($0.leader) == process } }
    }

    /// Sends SIGKILL to all their processes without waiting.
    func kill() {
        for command in commands.withLock({ $0.values }) { command.signal([SIGKILL]) }
    }
}
