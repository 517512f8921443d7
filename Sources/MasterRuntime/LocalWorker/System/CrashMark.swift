import Glibc
import Synchronization

/// A file in which the program notes that it goes down by a fault of its own.
///
/// Who kills a program from outside leaves no mark, so that both can be told apart afterwards.
enum CrashMark {
    private static let descriptor = Atomic<Int32>(-1)
    private static let signals = [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE]

    /// Notes faults from now on; a file that cannot be made only costs the mark.
    static func begin(at path: String) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { return }
        descriptor.store(file, ordering: .relaxed)
        for number in signals { signal(number, note) }
    }

    /// Notes faults no more, and removes the file.
    static func end(at path: String) {
        for number in signals { signal(number, SIG_DFL) }
        let file = descriptor.exchange(-1, ordering: .relaxed)
        guard file >= 0 else { return }
        close(file)
        unsafe unlink(path)
    }

    /// Whether a program noted a fault there.
    static func isSet(at path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_size > 0
    }

    /// Writes a byte, and lets the fault happen again, which then ends the program.
    private static let note: @convention(c) (Int32) -> Void = { number in
        unsafe withUnsafePointer(to: UInt8(ascii: "x")) { byte in
            _ = unsafe write(descriptor.load(ordering: .relaxed), byte, 1)
        }
        signal(number, SIG_DFL)
    }
}
