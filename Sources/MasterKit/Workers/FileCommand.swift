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

        /// The folder from which a relative pattern starts.
        public var folder: String

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - pattern: The pattern.
        ///   - folder: The folder from which a relative pattern starts.
        public init(_ pattern: String, in folder: String = "") {
            self.pattern = pattern
            self.folder = folder
        }
    }

    /// Sends a file of the worker to the master.
    public struct UploadFile: Sendable, Hashable, Codable {
        /// The file.
        public var path: String

        /// The most bytes to send; a larger file is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// How many bytes are read at once, at least one.
        public var blockByteCount: Int

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: The file.
        ///   - maxByteCount: The most bytes to send.
        ///   - blockByteCount: How many bytes are read at once.
        public init(_ path: String, maxByteCount: Int? = nil, blockByteCount: Int = 128 << 10) {
            precondition(blockByteCount > 0, "a block has at least one byte")
            self.path = path
            self.maxByteCount = maxByteCount
            self.blockByteCount = blockByteCount
        }
    }

    /// Writes a file on the worker with what the master gives as input.
    ///
    /// The file appears under its name when it is complete; until then, and when anything fails,
    /// what stood there before stays. A symbolic link there is replaced, not followed.
    public struct DownloadFile: Sendable, Hashable, Codable {
        /// Where to write the file; missing parent folders are made.
        public var path: String

        /// Its permission bits.
        public var permissions: UInt32

        /// The most bytes to accept; more is an error. `nil` for no limit.
        public var maxByteCount: Int?

        /// A folder that the file must be in, symbolic links resolved. `nil` for any.
        public var folder: String?

        /// When its content last changed, in seconds since 1970; `nil` for now.
        public var modified: Double?

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: Where to write the file.
        ///   - permissions: Its permission bits.
        ///   - maxByteCount: The most bytes to accept.
        ///   - folder: A folder that the file must be in.
        ///   - modified: When its content last changed.
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
        /// The folder; missing parent folders are made, too.
        public var path: String

        /// Whether it may be outside the folder in which the worker may delete, symbolic links
        /// resolved; `nil` when nothing in it is going to be deleted or overwritten.
        public var outside: Bool?

        /// Makes the command.
        ///
        /// - Parameters:
        ///   - path: The folder.
        ///   - outside: Whether it may be outside the folder in which the worker may delete.
        public init(_ path: String, outside: Bool? = nil) {
            self.path = path
            self.outside = outside
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

extension Command {
    /// The command with its relative paths taken from a folder.
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
        case .stat(let command): return .stat(Stat(path(command.path)))
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
