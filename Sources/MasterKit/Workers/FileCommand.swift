extension Command {
    /// Returns the status of a path.
    public struct Stat: Sendable, Hashable, Codable {
        /// The path.
        public var path: String

        /// Whether a symbolic link at the path is followed; `nil` means that it is. The status of a
        /// link itself is of the kind `other`.
        public var followsLinks: Bool?

        /// Creates the command.
        ///
        /// - Parameters:
        ///   - path: The path.
        ///   - followsLinks: Whether a symbolic link at the path is followed.
        public init(_ path: String, followsLinks: Bool? = nil) {
            self.path = path
            self.followsLinks = followsLinks
        }
    }

    /// Finds the paths that match a pattern, sorted: `*`, `?` and `[a-z]` as in the shell.
    public struct Glob: Sendable, Hashable, Codable {
        /// The pattern; if it is relative, so are the paths found.
        public var pattern: String

        /// The folder against which a relative pattern is resolved.
        public var folder: String

        /// Creates the command.
        ///
        /// - Parameters:
        ///   - pattern: The pattern.
        ///   - folder: The folder against which a relative pattern is resolved.
        public init(_ pattern: String, in folder: String = "") {
            self.pattern = pattern
            self.folder = folder
        }
    }

    /// Sends a file from the worker to the master.
    public struct UploadFile: Sendable, Hashable, Codable {
        /// The file.
        public var path: String

        /// The maximum number of bytes to send; a larger file is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// The number of bytes to read at once, at least one.
        public var blockByteCount: Int

        /// Creates the command.
        ///
        /// - Parameters:
        ///   - path: The file.
        ///   - maxByteCount: The maximum number of bytes to send.
        ///   - blockByteCount: The number of bytes to read at once.
        public init(_ path: String, maxByteCount: Int? = nil, blockByteCount: Int = 128 << 10) {
            precondition(blockByteCount > 0, "a block has at least one byte")
            self.path = path
            self.maxByteCount = maxByteCount
            self.blockByteCount = blockByteCount
        }
    }

    /// Writes a file on the worker from input supplied by the master.
    ///
    /// The file is replaced atomically once it is complete; until then, and on any error, an
    /// existing file is left as it was. A symbolic link is replaced, not followed.
    public struct DownloadFile: Sendable, Hashable, Codable {
        /// The path of the file; missing parent folders are created.
        public var path: String

        /// The permission bits.
        public var permissions: UInt32

        /// The maximum number of bytes to accept; more is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// A folder that must contain the file after symbolic links are resolved, or `nil` for any.
        public var folder: String?

        /// The modification time, in seconds since 1970, or `nil` for now.
        public var modified: Double?

        /// Creates the command.
        ///
        /// - Parameters:
        ///   - path: The path of the file.
        ///   - permissions: The permission bits.
        ///   - maxByteCount: The maximum number of bytes to accept.
        ///   - folder: A folder that must contain the file.
        ///   - modified: The modification time, in seconds since 1970.
        public init(
            _ path: String, permissions: UInt32 = 0o644, maxByteCount: Int? = nil,
            in folder: String? = nil, modified: Double? = nil
        ) {
            self.path = path
            self.permissions = permissions
            self.maxByteCount = maxByteCount
            self.folder = folder
            self.modified = modified
        }
    }
}

extension Command {
    /// Creates a folder.
    public struct MakeDirectory: Sendable, Hashable, Codable {
        /// The folder; missing parent folders are created, too.
        public var path: String

        /// Whether it may be outside the folder in which the worker may delete, symbolic links
        /// resolved; `nil` when nothing in it is going to be deleted or overwritten.
        public var outside: Bool?

        /// Creates the command.
        ///
        /// - Parameters:
        ///   - path: The folder.
        ///   - outside: Whether it may be outside the folder in which the worker may delete.
        public init(_ path: String, outside: Bool? = nil) {
            self.path = path
            self.outside = outside
        }
    }

    /// Removes a folder and its contents, or a file.
    ///
    /// Symbolic links are removed, never followed. A path that does not exist is not an error.
    public struct RemoveDirectory: Sendable, Hashable, Codable {
        /// The path to remove.
        public var path: String

        /// Whether the path may be outside the folder in which the worker may delete.
        public var outside: Bool

        /// Creates the command.
        ///
        /// - Parameters:
        ///   - path: The path to remove.
        ///   - outside: Whether the path may be outside the folder in which the worker may delete.
        public init(_ path: String, outside: Bool = false) {
            self.path = path
            self.outside = outside
        }
    }

    /// Copies a folder and its contents.
    ///
    /// An existing destination is replaced. Symbolic links are copied as links; permissions are
    /// kept.
    public struct CopyDirectory: Sendable, Hashable, Codable {
        /// The folder to copy.
        public var source: String

        /// The path of the copy.
        public var destination: String

        /// Whether the destination may be outside the folder in which the worker may overwrite.
        public var outside: Bool

        /// Creates the command.
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

    /// Lists the entries of a folder, sorted, without `.` and `..`.
    public struct ListDirectory: Sendable, Hashable, Codable {
        /// The folder.
        public var path: String

        /// Creates the command.
        ///
        /// - Parameter path: The folder.
        public init(_ path: String) {
            self.path = path
        }
    }
}

extension Command {
    /// The command with its relative paths resolved against a folder.
    package func resolved(in folder: String) -> Command {
        func path(_ path: String) -> String {
            if path.hasPrefix("/") { return path }
            return path.isEmpty || path == "." ? folder : "\(folder)/\(path)"
        }
        switch self {
        case .shell(var shell):
            shell.workdir = path(shell.workdir)
            return .shell(shell)
        case .mkdir(var command):
            command.path = path(command.path)
            return .mkdir(command)
        case .rmdir(var command):
            command.path = path(command.path)
            return .rmdir(command)
        case .cpdir(var command):
            command.source = path(command.source)
            command.destination = path(command.destination)
            return .cpdir(command)
        case .stat(let command):
            return .stat(Stat(path(command.path), followsLinks: command.followsLinks))
        case .glob(let command): return .glob(Glob(command.pattern, in: path(command.folder)))
        case .listdir(let command): return .listdir(ListDirectory(path(command.path)))
        case .uploadFile(var command):
            command.path = path(command.path)
            return .uploadFile(command)
        case .downloadFile(var command):
            command.path = path(command.path)
            command.folder = command.folder.map(path)
            return .downloadFile(command)
        }
    }
}
