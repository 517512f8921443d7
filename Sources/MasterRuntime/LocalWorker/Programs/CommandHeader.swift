import MasterKit

/// The lines about a command that stand in its log before and after its output.
enum CommandHeader {
    /// What is run, where, and with which limits.
    static func begin(_ shell: Command.Shell, in workdir: String) -> String {
        var limits = ""
        if let timeout = shell.timeout { limits += " (timeout \(seconds(timeout)) secs)" }
        if let maxTime = shell.maxTime { limits += " (maxTime \(seconds(maxTime)) secs)" }
        let argv = shell.invocation.arguments.map(quoted).joined(separator: ", ")
        return "\(shell.invocation)\n in dir \(workdir)\(limits)\n argv: [\(argv)]\n"
    }

    /// The environment, sorted by name.
    static func environment(_ entries: [String]) -> String {
        " environment:\n" + entries.sorted().map { "  \($0)\n" }.joined()
    }

    /// Which limit has been reached.
    static func timedOut(_ limit: CommandResult.Limit) -> String {
        switch limit {
        case .silence(let time):
            "command timed out: \(time.inSeconds) without output; its processes are ended\n"
        case .total(let time):
            "command timed out: it ran for \(time.inSeconds); its processes are ended\n"
        }
    }

    /// A variable that the command refers to and does not get.
    static func withheld(_ variable: String) -> String {
        "the variable \(variable) holds a secret and is not passed on; to pass it, name the secret "
            + "in 'env', such as env: {\(variable): !Secret NAME}\n"
    }

    /// Why the command might outlive the master.
    static func unguarded(_ error: any Error) -> String {
        "if the master is killed, this command goes on until the next start: its guardian cannot "
            + "be started (\(error))\n"
    }

    /// Which processes the program left running.
    static func ended(_ members: [CommandProcesses.Member]) -> String {
        let count = members.count == 1 ? "1 process" : "\(members.count) processes"
        return "ended \(count) that the command left running: \(names(members))\n"
    }

    /// Which processes live on.
    static func survivors(_ members: [CommandProcesses.Member]) -> String {
        "processes that could not be ended, of another user or waiting for a device: "
            + "\(names(members)); end them by hand\n"
    }

    private static func names(_ members: [CommandProcesses.Member]) -> String {
        let shown = members.prefix(10).map(\.description)
        let others = members.count - shown.count
        return (shown + (others > 0 ? ["and \(others) more"] : [])).joined(separator: ", ")
    }

    /// How the program ended.
    static func end(_ end: CommandResult.Ending, elapsed: Duration) -> String {
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

    /// A text in JSON notation.
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
