/// A master that could not begin or go on, with what to do about it.
public struct MasterError: Error, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    public enum Code: String, Sendable, Hashable {
        /// A builder was asked for that is not there.
        case unknownBuilder
        /// No builder was asked for, and none runs without being asked for.
        case nothingToBuild
        /// Properties were given that are too large for a build.
        case tooLarge
        /// A plugin could not start.
        case plugin
        /// Another reconfiguration is running.
        case busy
    }

    /// What kind of trouble it is.
    public let code: Code
    /// What happened and how to remedy it, without secrets.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
