internal import CLibC
internal import Glibc
internal import MasterRuntime
internal import SystemPackage

/// One of the two streams that the process writes to.
enum StandardStream: Int32, Sendable {
    /// Standard output: what was asked for.
    case output = 1
    /// Standard error: what went wrong, and the log.
    case error = 2

    /// Whether a terminal shows it.
    var isTerminal: Bool { isatty(rawValue) == 1 }

    /// The number of columns and rows of the terminal that shows it; `nil` when none does.
    var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
            size.ws_row > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Writes bytes, waiting as long as it takes.
    ///
    /// - Returns: Why not all could be written; `nil` when it was.
    func write(_ bytes: [UInt8]) -> Errno? {
        var start = 0
        while start < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    rawValue, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            }
            if count > 0 {
                start += count
            } else if errno == EAGAIN {
                waitUntilWritable()
            } else if errno != EINTR {
                return Errno(rawValue: errno)
            }
        }
        return nil
    }

    private func waitUntilWritable() {
        var wish = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&wish, 1, -1)
    }
}

/// What the process asks of the system about memory.
enum ProcessMemory {
    /// Gives blocks such as a log in a report back to the system as soon as they are free.
    ///
    /// Else the C library takes ever larger ones from memory that it keeps for good. Of small
    /// blocks each thread keeps up to 2 MiB: with the usual 128 KiB every piece of a command's
    /// output would be given back and faulted in again.
    static func giveBackLargeBlocks() {
        _ = mallopt(M_MMAP_THRESHOLD, 256 << 10)
        _ = mallopt(M_TRIM_THRESHOLD, 2 << 20)
    }
}

extension Errno {
    /// Whether the reader of a pipe or the terminal has gone, which is not our fault.
    var isAboutReader: Bool { self == .brokenPipe || self == .ioError }
}

/// What the process asks of the system before anything else.
enum ProcessSetup {
    /// Prepares descriptors, signals and limits.
    static func prepare() {
        openStreams()
        // A write to a pipe that nobody reads, or beyond the limit on the size of files, then
        // fails instead of ending the process.
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
        ProcessLimits.raise()
    }

    /// Opens `/dev/null` for streams that are closed.
    ///
    /// Otherwise the next file that is opened would be one of them, and get what is printed.
    private static func openStreams() {
        for stream in Int32(0)...2 where fcntl(stream, F_GETFD) < 0 {
            // It takes the lowest free number, which is this one. Without it nothing would work.
            precondition(
                unsafe open("/dev/null", O_RDWR) == stream, "/dev/null cannot be opened")
        }
    }
}
