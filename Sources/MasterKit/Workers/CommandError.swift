/// Why a command could not be run, or a file command failed.
public struct CommandError: Error, Sendable {
    /// The kinds of fault, for whoever handles one of them.
    public enum Code: String, Sendable, Hashable, Codable {
        /// The command itself makes no sense: empty, or with a zero byte in a text.
        case invalid
        /// There is no such program.
        case programNotFound
        /// The program is there but cannot be run.
        case programNotExecutable
        /// The folder to run in is missing, or is no folder.
        case workdir
        /// The arguments and the environment are more than the system passes on.
        case argumentsTooLong
        /// The machine has no processes, threads, memory or file descriptors left.
        case noResources
        /// There is nothing at the path.
        case notFound
        /// Something already stands at the path, or it is of the wrong kind.
        case wrongKind
        /// The system denies access.
        case denied
        /// The path is outside the folder in which the worker may delete and overwrite.
        case outsideRoot
        /// There is more than the command's limit allows.
        case tooLarge
        /// Any other answer of the system, such as a full disk.
        case system
    }

    /// The kind of fault.
    public var code: Code

    /// What went wrong and how to remedy it, in one sentence.
    public var message: String

    /// The error underneath.
    public var cause: (any Error)?

    /// Makes an error.
    ///
    /// - Parameters:
    ///   - code: The kind of fault.
    ///   - message: What went wrong and how to remedy it.
    ///   - cause: The error underneath.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension CommandError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}
