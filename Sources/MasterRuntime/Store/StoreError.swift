/// Why the store cannot be opened or cannot keep something.
public struct StoreError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure.
    public enum Code: String, Sendable, Hashable {
        /// The folder is missing and cannot be made, or is no folder.
        case folder
        /// The folder or the database may not be written to.
        case readOnly
        /// No space is left.
        case full
        /// Another master uses the folder.
        case locked
        /// Another program has kept the database busy for too long.
        case busy
        /// The database cannot be understood.
        case damaged
        /// A newer program has written the database.
        case newer
        /// The database is of another program.
        case foreign
        /// The disk or the system fails.
        case system
        /// A record is not there, or not in a state that allows the transition.
        case conflict
        /// A transition could not be carried out.
        case transition
        /// The store has been closed.
        case closed
    }

    /// The kind of failure.
    public let code: Code
    /// What happened and what can be done about it, in one sentence.
    public let message: String
    /// What lies behind it.
    public let cause: (any Error)?

    /// Makes an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The sentence.
    public var description: String { message }
}
