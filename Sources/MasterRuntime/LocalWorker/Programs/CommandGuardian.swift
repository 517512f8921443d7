import CProcess
import Glibc
package import MasterKit
import Synchronization
import SystemPackage

/// A small process that kills this process's commands when this process dies, however it dies.
///
/// It waits for the end of a pipe that only this process holds open. It then kills every process
/// with a mark of this process, and exits. It runs in its own session, so that a signal to the
/// master's process group does not reach it, and has no mark, so that an enclosing master does not
/// kill it.
///
/// The pipe is only closed once a command that is being started has its mark: until then, the new
/// process has a copy of the descriptor.
final class CommandGuardian: Sendable {
    static let shared = CommandGuardian()

    /// Repeats until no process has been found twice in a row, for at most about ten seconds.
    private static let script = #"""
        trap '' HUP INT QUIT TERM
        read -r end
        quiet=0 round=0
        while [ $quiet -lt 2 ] && [ $round -lt 100 ]; do
            round=$((round + 1)) quiet=$((quiet + 1))
            for file in $(grep -l "^Max file locks  *$1........ " /proc/[0-9]*/limits); do
                quiet=0 file=${file%/limits}
                kill -KILL "${file#/proc/}"
            done
            sleep 0.05
        done
        """#

    private struct Guardian {
        let process: pid_t
        /// Open as long as this process lives.
        let pipe: OwnedDescriptor
    }

    private let guardian = Mutex<Guardian?>(nil)

    private init() {}

    /// Starts the guardian with the first command, and again if it was killed.
    func start() throws {
        // Held during the start, so that there is only one guardian.
        try guardian.withLock { guardian in
            if let running = guardian, waitpid(running.process, nil, WNOHANG) == 0 { return }
            guardian = nil
            guardian = try Self.make()
        }
    }

    private static func make() throws -> Guardian {
        let ends = try FileDescriptor.pipe(options: .closeOnExec)
        let (reading, writing) = (OwnedDescriptor(ends.readEnd), OwnedDescriptor(ends.writeEnd))
        let null = try POSIX.open("/dev/null", O_WRONLY)
        let process = NewProcess(
            candidates: [Array("/bin/sh".utf8)],
            arguments: [
                "sh", "-c", script, "buildmaster-guardian", String(ProcessMark.ownPrefix),
            ],
            environment: .minimal,
            folder: "/",
            streams: (reading, null, null)
        )
        return Guardian(process: try process.start().process, pipe: writing)
    }
}

/// The file that tells the next master whose commands may still be running.
///
/// Only their mark is recorded: unlike a process id, it is never reused by an unrelated process.
struct CommandRecord {
    private static let endTime: Duration = .seconds(5)

    let path: FilePath

    /// Kills what the commands of the last master have left behind, and records this master
    /// instead.
    ///
    /// - Returns: The processes that were killed.
    func replace() throws -> [CommandProcesses.Member] {
        let ended = try read().map { Self.end(prefix: $0) } ?? []
        try write()
        return ended
    }

    private func read() throws -> UInt64? {
        do {
            let file = try POSIX.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let text = String(
                decoding: try POSIX.read(file.number, maxByteCount: 64), as: UTF8.self)
            return UInt64(text.prefix { $0.isNumber }).flatMap {
                ProcessMark.prefixes.contains($0) && $0 != ProcessMark.ownPrefix ? $0 : nil
            }
        } catch  where error.number == ENOENT {
            return nil
        }
    }

    private func write() throws {
        let file = try TemporaryFile(beside: path)
        do {
            try file.descriptor.descriptor.writeAll("\(ProcessMark.ownPrefix)\n".utf8)
            try POSIX.rename(file.path, to: path)
        } catch {
            // Otherwise each start on a full disk would leave a file. The first error counts.
            _ = Result { () throws(SystemFault) in try file.remove() }
            throw error
        }
    }

    private static func end(prefix: UInt64) -> [CommandProcesses.Member] {
        let selection = ProcessMark.selection(prefix: prefix)
        var ended: Set<CommandProcesses.Member> = []
        let deadline = ContinuousClock.now + endTime
        while true {
            let members = CommandProcesses.members(selection)
            if members.isEmpty || .now > deadline { break }
            ended.formUnion(members)
            CommandProcesses.signal(SIGKILL, selection)
            usleep(10_000)
        }
        return ended.sorted { $0.process < $1.process }
    }
}

/// The lines written to a command's log before and after its output.
package enum CommandHeader {
    /// The command, its working directory and its limits.
    package static func begin(_ shell: Command.Shell, in workdir: String) -> String {
        var limits = ""
        if let timeout = shell.timeout { limits += " (timeout \(seconds(timeout)) secs)" }
        if let maxTime = shell.maxTime { limits += " (maxTime \(seconds(maxTime)) secs)" }
        let argv = shell.invocation.arguments.map(quoted).joined(separator: ", ")
        return "\(shell.invocation)\n in dir \(workdir)\(limits)\n argv: [\(argv)]\n"
    }

    /// The environment, sorted by name.
    package static func environment(_ entries: [String]) -> String {
        " environment:\n" + entries.sorted().map { "  \($0)\n" }.joined()
    }

    /// The limit that was exceeded.
    package static func timedOut(_ limit: CommandResult.Limit) -> String {
        switch limit {
        case .silence(let time):
            "command timed out: \(time.inSeconds) without output; ending its processes\n"
        case .total(let time):
            "command timed out: it ran for \(time.inSeconds); ending its processes\n"
        case .lines(let count):
            "the output has more than \(count) lines, its max_lines; the rest is dropped and the "
                + "command is ended\n"
        }
    }

    /// Why a log file is not followed.
    static func unreadable(_ path: String, _ error: any Error) -> String {
        "the log file \(path) cannot be read (\(error)); check its permissions\n"
    }

    /// A variable that the command refers to but that is not passed on.
    static func withheld(_ variable: String) -> String {
        "the variable \(variable) holds a secret and is not passed on; to pass it, name the secret "
            + "in 'env', such as env: {\(variable): !Secret NAME}\n"
    }

    /// Why the command might outlive the master.
    static func unguarded(_ error: any Error) -> String {
        "if the master is killed, this command continues until the next start: its guardian cannot "
            + "be started (\(error))\n"
    }

    /// The processes that the program left running.
    static func ended(_ members: [CommandProcesses.Member]) -> String {
        ended(members.map(\.description), isPart: members.count >= CommandProcesses.capacity)
    }

    /// The same of processes as they are shown, such as `sleep (4711)`.
    package static func ended(_ processes: [String], isPart: Bool = false) -> String {
        let count = processes.count == 1 ? "1 process" : "\(processes.count) processes"
        return "ended \(isPart ? "at least " : "")\(count) that the command left running: "
            + "\(list(processes))\n"
    }

    /// The processes that could not be killed.
    static func survivors(_ members: [CommandProcesses.Member]) -> String {
        "processes that could not be ended, of another user or waiting for a device: "
            + "\(list(members.map(\.description))); end them by hand\n"
    }

    private static func list(_ processes: [String]) -> String {
        let shown = processes.prefix(10)
        let others = processes.count - shown.count
        return (shown + (others > 0 ? ["and \(others) more"] : [])).joined(separator: ", ")
    }

    /// How the program ended.
    package static func end(_ end: CommandResult.Ending, elapsed: Duration) -> String {
        let words =
            switch end {
            case .exited(let code): "program finished with exit code \(code)"
            case .killed: "process \(CommandResult(end, elapsed: elapsed))"
            }
        let microseconds = elapsed / .microseconds(1)
        let whole = Int64(microseconds)
        let fraction = String(whole % 1_000_000)
        let zeros = String(repeating: "0", count: 6 - fraction.count)
        return "\(words)\nelapsedTime=\(whole / 1_000_000).\(zeros)\(fraction)\n"
    }

    private static func seconds(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        return attoseconds == 0 ? String(seconds) : String(time / .seconds(1))
    }

    /// A text as a JSON string.
    private static func quoted(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n": json += "\\n"
            case "\r": json += "\\r"
            case "\t": json += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}
