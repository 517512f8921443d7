/// An error of the master, with a remedy.
package struct MasterError: Error, Sendable, CustomStringConvertible {
    /// The kind of error.
    package enum Code: String, Sendable, Hashable {
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
    package let code: Code
    /// What happened and how to remedy it, without secrets.
    package let message: String

    /// Creates an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
