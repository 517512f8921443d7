internal import CProcess
internal import Synchronization

/// The resource limits of this process: open files, threads, address space.
package enum ProcessLimits {
    /// The maximum number of files that a build has open: pipes, logs, a connection.
    private static let filesPerBuild: UInt64 = 12
    /// The number of files open apart from builds: the store, reporters, the terminal.
    private static let otherFiles: UInt64 = 52
    /// The number of threads of a run with one command, with some margin.
    private static let threads: CInt = 24

    private static let softLimit = Atomic<UInt64>(0)

    /// Raises the soft limit on open files to the hard limit; commands still get the original one.
    package static func raise() {
        let before = process_raise_open_files()
        _ = softLimit.compareExchange(expected: 0, desired: before, ordering: .relaxed)
    }

    /// Why a master cannot run within the limits, or `nil` if it can.
    ///
    /// Must be checked before anything else: without threads the program would hang.
    package static func shortage() -> String? {
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

    /// The soft limit on open files for commands; 0 leaves that of this process.
    static var openFilesOfCommands: UInt64 { softLimit.load(ordering: .relaxed) }

    /// The maximum number of concurrent builds.
    static var builds: Int {
        let files = max(process_open_files(), otherFiles + filesPerBuild)
        return Int(clamping: (files - otherFiles) / filesPerBuild)
    }

    /// The maximum number of connections to one server of this process: they leave files to builds
    /// and commands, however many others open.
    package static func connections(atMost count: Int) -> Int {
        min(count, Int(clamping: process_open_files() / 4))
    }
}
