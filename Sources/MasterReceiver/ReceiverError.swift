internal import Glibc
internal import NIOCore

/// Why a receiver cannot listen, and what to do about it.
public struct ReceiverError: Error, CustomStringConvertible {
    /// What kind of hindrance it is.
    public enum Code: Sendable, Hashable {
        /// Somebody else listens there.
        case portTaken
        /// The port is reserved for the administrator.
        case notPermitted
        /// No such host is known, or it is another machine.
        case badHost
        /// Something else.
        case other
    }

    /// What kind of hindrance it is.
    public let code: Code
    /// What happened and how to remedy it, in one sentence.
    public let message: String
    /// What the system said.
    public let cause: any Error

    /// The message.
    public var description: String { message }

    init(_ cause: any Error, listeningOn address: ReceiverAddress) {
        self.cause = cause
        if cause is SocketAddressError.UnknownHost {
            code = .badHost
            message =
                "the receiver cannot listen on \(address): no host is called '\(address.host)'; "
                + "name one of this machine's addresses, such as 127.0.0.1"
            return
        }
        switch (cause as? IOError)?.errnoCode {
        case EADDRINUSE:
            code = .portTaken
            message =
                "the receiver cannot listen on \(address): another program does; "
                + "end that one, or choose another port (0 takes any free one)"
        case EACCES, EPERM:
            code = .notPermitted
            message =
                "the receiver may not listen on \(address): ports below 1024 are the "
                + "administrator's; choose a higher one"
        case EADDRNOTAVAIL:
            code = .badHost
            message =
                "the receiver cannot listen on \(address): this machine does not have that "
                + "address; choose 127.0.0.1, or 0.0.0.0 for all that it has"
        default:
            code = .other
            message =
                "the receiver cannot listen on \(address): \(cause); choose another address"
        }
    }
}
