/// An error of the master, with a remedy.
public struct MasterError: Error, Sendable, CustomStringConvertible {
    /// The kind of error.
    public enum Code: String, Sendable, Hashable {
        /// An unknown builder was requested.
        case unknownBuilder
        /// No builder was requested, and none runs by default.
        case nothingToBuild
        /// The given properties are too large for a build.
        case tooLarge
        /// A builder is triggered by a build that it has triggered itself.
        case triggersItself
        /// A plugin could not start.
        case plugin
        /// Another reconfiguration is running.
        case busy
    }

    /// The kind of error.
    public let code: Code
    /// What happened and how to remedy it, without secrets.
    public let message: String

    /// Creates an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
