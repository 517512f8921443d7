internal import CProcess
internal import Synchronization

/// What the system lets this process have: open files, threads, address space.
public enum ProcessLimits {
    /// How many files a build has open at most: pipes, logs, a connection.
    private static let filesPerBuild: UInt64 = 12
    /// How many are open beside the builds: the store, reporters, the terminal.
    private static let otherFiles: UInt64 = 52
    /// How many threads a run with one command has, and some more.
    private static let threads: CInt = 24

    private static let softLimit = Atomic<UInt64>(0)

    /// Raises the soft limit on open files to the hard one; commands still get it as it was.
    public static func raise() {
        let before = process_raise_open_files()
        _ = softLimit.compareExchange(expected: 0, desired: before, ordering: .relaxed)
    }

    /// Why a master cannot work within the limits; `nil` when it can.
    ///
    /// To be asked before anything else: without threads the program would wait for ever.
    public static func shortage() -> String? {
        let files = process_open_files()
        if files < otherFiles + filesPerBuild {
            return "only \(files) files can be open at once, and at least "
                + "\(otherFiles + filesPerBuild) are needed; raise the limit with ulimit -n"
        }
        let error = process_try_threads(threads)
        guard error != 0 else { return nil }
        return "the \(threads) threads that are needed cannot be started (\(SystemFault(error))); "
            + "raise the limit on processes (ulimit -u) or on memory (ulimit -v)"
    }

    /// The soft limit on open files for commands; 0 when it is that of this process.
    static var openFilesOfCommands: UInt64 { softLimit.load(ordering: .relaxed) }

    /// How many builds can run side by side.
    static var builds: Int {
        let files = max(process_open_files(), otherFiles + filesPerBuild)
        return Int(clamping: (files - otherFiles) / filesPerBuild)
    }
}
