import Glibc
import SystemPackage

/// An error number of the system in words: `No such file or directory`.
struct SystemFault: Error, CustomStringConvertible {
    let number: CInt

    /// The fault of an error number; the thread's own by default.
    init(_ number: CInt = errno) {
        self.number = number
    }

    var description: String { Errno(rawValue: number).description }
}
