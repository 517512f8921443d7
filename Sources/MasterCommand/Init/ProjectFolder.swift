internal import FoundationEssentials
internal import SystemPackage

/// A folder to be searched for projects.
struct ProjectFolder {
    /// The last path component, with symbolic links resolved.
    let name: String

    private let path: String
    private let entries: Set<String>

    /// The maximum size of a file that is read; a larger one is treated as empty.
    private static let maximumFileSize = 1 << 20

    init(_ path: String) throws {
        self.path = path
        do {
            // Foundation's errors do not give a reason that a user could understand.
            try FileDescriptor.open(FilePath(path), .readOnly, options: .directory).close()
            entries = Set(try FileManager.default.contentsOfDirectory(atPath: path))
        } catch let error as Errno {
            throw FailedRun("can't read the folder \(path.shellQuoted): \(error)")
        }
        name = URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().lastPathComponent
    }

    /// Whether the folder has a regular file with this name.
    func has(_ name: String) -> Bool { entries.contains(name) && size(of: name) != nil }

    /// Whether a relative path leads to a regular file.
    func hasFile(_ name: String) -> Bool { size(of: name) != nil }

    /// Whether a relative path leads to an executable file.
    func hasProgram(_ name: String) -> Bool {
        size(of: name) != nil && FileManager.default.isExecutableFile(atPath: "\(path)/\(name)")
    }

    /// The entries of the folder and of its subfolders `tests` and `test` whose names satisfy a
    /// condition, as relative paths.
    func entries(where isWanted: (String) -> Bool) -> [String] {
        let inner = ["tests", "test"].filter(entries.contains).flatMap { folder in
            // A folder that can't be listed has no tests that could be run.
            let names = try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")
            return (names ?? []).filter(isWanted).map { "\(folder)/\($0)" }
        }
        return (entries.filter(isWanted) + inner).sorted()
    }

    /// The contents of a file at a relative path, or an empty string if it can't be read.
    func text(of name: String) -> String {
        guard let size = size(of: name), size <= Self.maximumFileSize,
            let data = FileManager.default.contents(atPath: "\(path)/\(name)")
        else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    /// Whether one of the files contains the word, ignoring case.
    func mentions(_ word: String, in names: String...) -> Bool {
        names.contains { text(of: $0).lowercased().contains(word) }
    }

    /// The size of a regular file, or `nil` for anything else: a pipe would block.
    private func size(of name: String) -> Int? {
        let file = URL(filePath: "\(path)/\(name)").resolvingSymlinksInPath().path
        // Whatever the reason, what can't be looked at can't be built from.
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: file),
            attributes[.type] as? FileAttributeType == .typeRegular
        else { return nil }
        return attributes[.size] as? Int
    }
}
