import Glibc
import MasterKit
import MasterRuntime

/// A command that has finished, with all of its output.
struct Ran {
    var result = CommandResult(elapsed: .zero)
    var stdout: [UInt8] = []
    var stderr: [UInt8] = []
    var header = ""
    var logFiles: [String: String] = [:]

    var output: String { String(decoding: stdout, as: UTF8.self) }
    var errors: String { String(decoding: stderr, as: UTF8.self) }

    /// The process IDs printed to stdout, one per line.
    var processes: [pid_t] {
        output.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
    }

    mutating func take(_ update: CommandUpdate) {
        switch update.content {
        case .output(.stdout, let bytes): stdout += bytes
        case .output(.stderr, let bytes): stderr += bytes
        case .header(let text): header += text
        case .started, .ended: break
        case .content(let bytes): stdout += bytes
        case .logFile(let name, let bytes):
            logFiles[name, default: ""] += String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Runs a shell command or a program in `/tmp`.
    static func shell(
        _ invocation: Command.Invocation, in workdir: String = "/tmp",
        _ change: (inout Command.Shell) -> Void = { _ in }
    ) async throws -> Ran {
        var shell = Command.Shell(invocation, in: workdir)
        change(&shell)
        var ran = Ran()
        ran.result = try await LocalWorker(root: "/tmp").run(.shell(shell)) { ran.take($0) }
        return ran
    }

    /// Whether the path exists.
    static func isThere(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Whether a process is running; zombies are not.
    static func isAlive(_ process: pid_t) -> Bool {
        guard let file = unsafe fopen("/proc/\(process)/stat", "r") else { return false }
        defer { unsafe fclose(file) }
        var line = [UInt8](repeating: 0, count: 512)
        let count = unsafe fread(&line, 1, line.count, file)
        let text = String(decoding: line[..<count], as: UTF8.self)
        let state = text.split(separator: ")").last?.split(separator: " ").first
        return state != nil && state != "Z" && state != "X"
    }
}
