extension Command {
    /// A path of which is asked what stands there.
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

    /// A pattern whose paths are wanted, sorted: `*`, `?` and `[a-z]` as in the shell.
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

    /// A file of the worker that the master wants.
    public struct UploadFile: Sendable, Hashable, Codable {
        /// The file.
        public var path: String

        /// The most bytes that are wanted; a larger file is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: The file.
        ///   - maxByteCount: The most bytes that are wanted.
        public init(_ path: String, maxByteCount: Int? = nil) {
            self.path = path
            self.maxByteCount = maxByteCount
        }
    }

    /// A file that the worker shall write with what the master gives as input.
    ///
    /// The file appears under its name when it is complete; until then, and when anything fails,
    /// what stood there before stays.
    public struct DownloadFile: Sendable, Hashable, Codable {
        /// Where the file shall be; the folders above it are made.
        public var path: String

        /// Its permission bits.
        public var permissions: UInt32

        /// The most bytes to accept; more is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: Where the file shall be.
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
