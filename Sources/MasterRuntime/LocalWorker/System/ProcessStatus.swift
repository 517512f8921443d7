import Glibc
import SystemPackage

/// What Linux tells of a process in `/proc/N/stat`.
struct ProcessStatus {
    /// The file name of its program, cut to 15 bytes.
    let name: String
    /// When it started, in ticks since the machine did.
    let startTime: String
    /// Whether it has ended, though its parent has not yet asked how.
    let hasEnded: Bool

    /// Reads the status; `nil` when there is no such process.
    init?(of process: pid_t) {
        // Number, name in parentheses, in which anything may be, state, and further numbers.
        guard let line = SystemFile.beginning(of: FilePath("/proc/\(process)/stat")),
            let open = line.firstIndex(of: UInt8(ascii: "(")),
            let close = line.lastIndex(of: UInt8(ascii: ")")), open < close
        else { return nil }
        let values = line[(close + 1)...].split(separator: UInt8(ascii: " "))
        guard values.count > 19 else { return nil }
        name = String(decoding: line[(open + 1)..<close], as: UTF8.self)
        startTime = String(decoding: values[19], as: UTF8.self)
        hasEnded = [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(values[0].first)
    }
}

/// Small files in which Linux tells about itself.
enum SystemFile {
    /// What is another text after each start of the machine.
    static var boot: String { word(of: "/proc/sys/kernel/random/boot_id") }

    /// The name of the machine.
    static var host: String { word(of: "/proc/sys/kernel/hostname") }

    /// The first bytes of a file; `nil` when it cannot be read.
    static func beginning(of path: FilePath) -> [UInt8]? {
        do {
            let file = try POSIX.open(path, O_RDONLY)
            return try POSIX.read(file.number, maxByteCount: 512)
        } catch {
            return nil  // The process has gone.
        }
    }

    /// The text of a file; `nil` when it cannot be read.
    static func text(of path: FilePath) -> String? {
        do {
            let file = try POSIX.open(path, O_RDONLY)
            var bytes: [UInt8] = []
            while case let more = try POSIX.read(file.number, maxByteCount: 64 << 10), !more.isEmpty
            {
                bytes += more
            }
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            return nil
        }
    }

    private static func word(of path: FilePath) -> String {
        guard let bytes = beginning(of: path) else { return "unknown" }
        return String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
    }
}
