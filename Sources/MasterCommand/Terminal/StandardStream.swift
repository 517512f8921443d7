internal import CLibC
internal import Glibc
internal import MasterRuntime
internal import SystemPackage

/// A stream that the process writes to.
enum StandardStream: Int32, Sendable {
    /// Standard output: requested information.
    case output = 1
    /// Standard error: errors and the log.
    case error = 2

    /// Whether it is a terminal.
    var isTerminal: Bool { isatty(rawValue) == 1 }

    /// The number of columns and rows of the terminal, or `nil` if it is not a terminal.
    var size: (columns: Int, rows: Int)? {
        var size = winsize()
        guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0,
            size.ws_row > 0
        else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Writes bytes, blocking as long as necessary.
    ///
    /// - Returns: The error, or `nil` if everything was written.
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

    /// Waits for input on standard input.
    ///
    /// - Parameter milliseconds: How long to wait; -1 for as long as it takes.
    /// - Returns: Whether there is input, or its end.
    static func waitForInput(milliseconds: Int32) -> Bool {
        var wish = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while true {
            let count = unsafe poll(&wish, 1, milliseconds)
            if count >= 0 || errno != EINTR { return count != 0 }
        }
    }

    /// Reads what there is on standard input, blocking until there is something.
    ///
    /// - Returns: The bytes; empty at the end, and after an error.
    static func readInput(limit: Int = 64 << 10) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while true {
                let read = unsafe Glibc.read(STDIN_FILENO, buffer.baseAddress, limit)
                if read < 0, errno == EINTR { continue }
                count = max(read, 0)
                return
            }
        }
    }

    private func waitUntilWritable() {
        var wish = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&wish, 1, -1)
    }
}

/// Memory settings of the process.
enum ProcessMemory {
    /// Makes the C library return large blocks, such as a log in a report, to the system as soon as
    /// they are freed, and keep small ones in one arena per processor.
    ///
    /// Otherwise it takes ever larger blocks from memory that it never returns, and has up to eight
    /// arenas per processor, none of which shrinks while others grow. An arena keeps up to 2 MiB at
    /// its end: with the default of 128 KiB, the memory for every piece of a command's output would
    /// be returned and faulted in again.
    static func giveBackMemory() {
        _ = mallopt(M_MMAP_THRESHOLD, 256 << 10)
        _ = mallopt(M_TRIM_THRESHOLD, 2 << 20)
        _ = mallopt(M_ARENA_MAX, CInt(clamping: max(2, sysconf(CInt(_SC_NPROCESSORS_ONLN)))))
    }
}

extension Errno {
    /// Whether the reader of the pipe or the terminal was closed, which is not an error of this
    /// program.
    var isAboutReader: Bool { self == .brokenPipe || self == .ioError }

    /// The sentence about standard output that fails with this error.
    var aboutLostOutput: String {
        "standard output cannot be written (\(self)); further output is lost"
    }
}

/// The setup of the process before anything else.
enum ProcessSetup {
    /// Prepares descriptors, signals and limits.
    static func prepare() {
        openStreams()
        // Writing to a pipe without a reader, or beyond the file size limit, then fails instead of
        // terminating the process.
        _ = signal(SIGPIPE, SIG_IGN)
        _ = signal(SIGXFSZ, SIG_IGN)
        ProcessLimits.raise()
    }

    /// Opens `/dev/null` in place of closed standard streams.
    ///
    /// Otherwise the next file opened would take the place of one, and receive its output.
    private static func openStreams() {
        for stream in Int32(0)...2 where fcntl(stream, F_GETFD) < 0 {
            // The lowest free descriptor is used, which is this one. Without it, nothing would
            // work.
            precondition(
                unsafe open("/dev/null", O_RDWR) == stream, "/dev/null cannot be opened")
        }
    }
}
