import Glibc

/// A `LoopbackServer` could not be started.
public struct ServerFault: Error, CustomStringConvertible {
    /// Which call failed, and why.
    public let description: String

    /// Takes the reason from `errno`.
    init(_ call: String) {
        self.init(call, code: errno)
    }

    /// Takes the reason from a number that a call returned.
    init(_ call: String, code: Int32) {
        description = unsafe "\(call): \(String(cString: strerror(code)))"
    }
}
