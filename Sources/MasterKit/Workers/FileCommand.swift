extension Command {
    /// Tells what is at a path.
    public struct Stat: Sendable, Hashable, Codable {
        /// The path; symbolic links are followed.
        public var path: String

        /// Makes the command.
        ///
        /// - Parameter path: The path.
        public init(_ path: String) {
            self.path = path
        }
    }

    /// Finds the paths that match a pattern, sorted: `*`, `?` and `[a-z]` as in the shell.
    public struct Glob: Sendable, Hashable, Codable {
        /// The pattern; the paths found are relative when it is.
        public var pattern: String

        /// Makes the command.
        ///
        /// - Parameter pattern: The pattern.
        public init(_ pattern: String) {
            self.pattern = pattern
        }
    }

    /// Sends a file of the worker to the master.
    public struct UploadFile: Sendable, Hashable, Codable {
        /// The file.
        public var path: String

        /// The most bytes to send; a larger file is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: The file.
        ///   - maxByteCount: The most bytes to send.
        public init(_ path: String, maxByteCount: Int? = nil) {
            self.path = path
            self.maxByteCount = maxByteCount
        }
    }

    /// Writes a file on the worker with what the master gives as input.
    ///
    /// The file appears under its name when it is complete; until then, and when anything fails,
    /// what stood there before stays.
    public struct DownloadFile: Sendable, Hashable, Codable {
        /// Where to write the file; missing parent folders are made.
        public var path: String

        /// Its permission bits.
        public var permissions: UInt32

        /// The most bytes to accept; more is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: Where to write the file.
        ///   - permissions: Its permission bits.
        ///   - maxByteCount: The most bytes to accept.
        public init(_ path: String, permissions: UInt32 = 0o644, maxByteCount: Int? = nil) {
            self.path = path
            self.permissions = permissions
            self.maxByteCount = maxByteCount
        }
    }
}

extension Command {
    /// Creates a folder.
    public struct MakeDirectory: Sendable, Hashable, Codable {
        /// The folder; missing parent folders are made, too.
        public var path: String

        /// Makes the command.
        ///
        /// - Parameter path: The folder.
        public init(_ path: String) {
            self.path = path
        }
    }

    /// Removes a folder or file, with all that is in it.
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

    /// Copies a folder with all that is in it.
    ///
    /// What is at the destination is replaced. Symbolic links are copied as links; permissions
    /// are kept.
    public struct CopyDirectory: Sendable, Hashable, Codable {
        /// The folder to copy.
        public var source: String

        /// The path of the copy.
        public var destination: String

        /// Whether the destination may be outside the folder in which the worker may overwrite.
        public var outside: Bool

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - source: The folder to copy.
        ///   - destination: The path of the copy.
        ///   - outside: Whether the destination may be outside the folder in which the worker may
        ///     overwrite.
        public init(from source: String, to destination: String, outside: Bool = false) {
            self.source = source
            self.destination = destination
            self.outside = outside
        }
    }

    /// Names the entries of a folder, sorted, without `.` and `..`.
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
