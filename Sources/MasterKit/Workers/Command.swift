/// One piece of work for a worker, as a value that can be sent to another machine.
///
/// The set is Buildbot's: a program or script, and the few file commands that steps need. In JSON a
/// command is a mapping of one entry, such as `{"mkdir": {"path": "out"}}`.
public enum Command: Sendable, Hashable {
    /// Runs a program, or a line of shell.
    case shell(Shell)
    /// Makes a folder and those above it; one that is there already is fine.
    case mkdir(MakeDirectory)
    /// Removes a folder, or a file, with all that is in it.
    case rmdir(RemoveDirectory)
    /// Copies a folder with all that is in it.
    case cpdir(CopyDirectory)
    /// Tells what stands at a path.
    case stat(Stat)
    /// Finds the paths that fit a pattern.
    case glob(Glob)
    /// Names what is in a folder.
    case listdir(ListDirectory)
    /// Sends a file of the worker to the master, as updates of kind `content`.
    case uploadFile(UploadFile)
    /// Writes a file on the worker with the bytes the master gives as input.
    case downloadFile(DownloadFile)
}

extension Command: Codable {
    private enum Name: String, CodingKey, CaseIterable {
        case shell, mkdir, rmdir, cpdir, stat, glob, listdir, uploadFile, downloadFile
    }

    /// Reads a mapping of one entry: the command's name, and what it needs.
    ///
    /// - Parameter decoder: Where to read from.
    /// - Throws: `DecodingError` when there is not exactly one entry of a known name.
    public init(from decoder: any Decoder) throws {
        let entries = try decoder.container(keyedBy: Name.self)
        guard let name = entries.allKeys.first, entries.allKeys.count == 1 else {
            let names = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a command is a mapping of one entry, one of \(names)"
                )
            )
        }
        self =
            switch name {
            case .shell: .shell(try entries.decode(Shell.self, forKey: name))
            case .mkdir: .mkdir(try entries.decode(MakeDirectory.self, forKey: name))
            case .rmdir: .rmdir(try entries.decode(RemoveDirectory.self, forKey: name))
            case .cpdir: .cpdir(try entries.decode(CopyDirectory.self, forKey: name))
            case .stat: .stat(try entries.decode(Stat.self, forKey: name))
            case .glob: .glob(try entries.decode(Glob.self, forKey: name))
            case .listdir: .listdir(try entries.decode(ListDirectory.self, forKey: name))
            case .uploadFile: .uploadFile(try entries.decode(UploadFile.self, forKey: name))
            case .downloadFile: .downloadFile(try entries.decode(DownloadFile.self, forKey: name))
            }
    }

    /// Writes a mapping of one entry: the command's name, and what it needs.
    ///
    /// - Parameter encoder: Where to write to.
    /// - Throws: `EncodingError` when the encoder cannot write a value.
    public func encode(to encoder: any Encoder) throws {
        var entries = encoder.container(keyedBy: Name.self)
        switch self {
        case .shell(let shell): try entries.encode(shell, forKey: .shell)
        case .mkdir(let directory): try entries.encode(directory, forKey: .mkdir)
        case .rmdir(let directory): try entries.encode(directory, forKey: .rmdir)
        case .cpdir(let copy): try entries.encode(copy, forKey: .cpdir)
        case .stat(let stat): try entries.encode(stat, forKey: .stat)
        case .glob(let glob): try entries.encode(glob, forKey: .glob)
        case .listdir(let directory): try entries.encode(directory, forKey: .listdir)
        case .uploadFile(let file): try entries.encode(file, forKey: .uploadFile)
        case .downloadFile(let file): try entries.encode(file, forKey: .downloadFile)
        }
    }
}
