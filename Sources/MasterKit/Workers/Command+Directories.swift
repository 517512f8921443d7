extension Command {
    /// A folder to make.
    public struct MakeDirectory: Sendable, Hashable, Codable {
        /// Where it shall be; the folders above it are made too.
        public var path: String

        /// Makes the command.
        ///
        /// - Parameter path: Where the folder shall be.
        public init(_ path: String) {
            self.path = path
        }
    }

    /// A folder or file to remove, with all that is in it.
    ///
    /// Symbolic links are removed, never followed. A path where there is nothing is fine.
    public struct RemoveDirectory: Sendable, Hashable, Codable {
        /// What to remove.
        public var path: String

        /// Whether it may be outside the folder in which the worker may delete.
        public var outside: Bool

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: What to remove.
        ///   - outside: Whether it may be outside the folder in which the worker may delete.
        public init(_ path: String, outside: Bool = false) {
            self.path = path
            self.outside = outside
        }
    }

    /// A folder to copy, with all that is in it.
    ///
    /// What stands at the destination is replaced. Symbolic links are copied as links; permissions
    /// are kept.
    public struct CopyDirectory: Sendable, Hashable, Codable {
        /// The folder to copy.
        public var source: String

        /// What the copy shall be.
        public var destination: String

        /// Whether the destination may be outside the folder in which the worker may overwrite.
        public var outside: Bool

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - source: The folder to copy.
        ///   - destination: What the copy shall be.
        ///   - outside: Whether the destination may be outside the folder in which the worker may
        ///     overwrite.
        public init(from source: String, to destination: String, outside: Bool = false) {
            self.source = source
            self.destination = destination
            self.outside = outside
        }
    }

    /// A folder whose entries are wanted, by name, sorted, without `.` and `..`.
    public struct ListDirectory: Sendable, Hashable, Codable {
        /// The folder.
        public var path: String

        /// Makes the command.
        ///
        /// - Parameter path: The folder.
        public init(_ path: String) {
            self.path = path
        }
    }
}
