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

        /// The most bytes that are wanted; a larger file is an error. None is no limit.
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

        /// The most bytes to accept; more is an error. None is no limit.
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
