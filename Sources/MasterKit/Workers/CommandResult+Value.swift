extension CommandResult {
    /// What a file command was asked for.
    public enum Value: Sendable, Hashable, Codable {
        /// The command gives nothing but its ending.
        case nothing
        /// What `stat` found; none when there is nothing at the path.
        case status(FileStatus?)
        /// What `glob` or `listdir` found, sorted.
        case names([String])
        /// The number of bytes that `uploadFile` or `downloadFile` moved.
        case byteCount(Int)
    }

    /// What `stat` tells of a file.
    public struct FileStatus: Sendable, Hashable, Codable {
        /// What stands at a path.
        public enum Kind: String, Sendable, Hashable, Codable {
            /// A file.
            case file
            /// A folder.
            case directory
            /// A device, a socket or a named pipe.
            case other
        }

        /// What stands at the path, symbolic links followed.
        public var kind: Kind

        /// Its size in bytes.
        public var byteCount: Int

        /// Its permission bits, such as `0o644`.
        public var permissions: UInt32

        /// When its content last changed, in seconds since 1970.
        public var modified: Double

        /// Makes a status.
        ///
        /// - Parameters:
        ///   - kind: What stands at the path.
        ///   - byteCount: Its size in bytes.
        ///   - permissions: Its permission bits.
        ///   - modified: When its content last changed, in seconds since 1970.
        public init(kind: Kind, byteCount: Int, permissions: UInt32, modified: Double) {
            self.kind = kind
            self.byteCount = byteCount
            self.permissions = permissions
            self.modified = modified
        }
    }
}
