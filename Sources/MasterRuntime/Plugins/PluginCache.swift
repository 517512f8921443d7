internal import Crypto
internal import FoundationEssentials
internal import Glibc
package import MasterKit
internal import SystemPackage

/// A package or library that a file names in `plugins`.
package struct PluginSource: Sendable, Hashable {
    /// The path as written in the file.
    package let name: String
    /// The absolute path.
    package let path: String
    /// Where it is named.
    package let range: SourceRange?

    package init(name: String, path: String, range: SourceRange? = nil) {
        self.name = name
        self.path = path
        self.range = range
    }

    /// Whether it is a library and not the folder of a package.
    package var isLibrary: Bool { path.hasSuffix(".so") }

    /// What it is called in messages: the path in the file, or the folder's name for '.'.
    package var label: String { name.allSatisfy { $0 == "." || $0 == "/" } ? title : name }

    /// The last component of the path.
    package var title: String { path.split(separator: "/").last.map(String.init) ?? "plugins" }
}

/// Where the libraries of packages are kept: in the base folder, a folder for each package.
///
/// The name of a library has the hash of the sources and of the program that it was built for, so
/// that another build never replaces a library that is in use.
package struct PluginCache: Sendable {
    let basedir: String

    package init(basedir: String) {
        self.basedir = basedir
    }

    /// Whether a package is built.
    package enum State: Sendable, Equatable {
        /// The library for the present sources.
        case built(library: String)
        /// There is no library; this one is to be built.
        case missing(library: String)
        /// There are only libraries of other sources or for another program.
        case outdated(library: String)
    }

    /// The folder of a package's libraries.
    package func folder(of source: PluginSource) -> String {
        "\(basedir)/plugins/\(source.title)-\(Self.digest([source.path], length: 8))"
    }

    /// Whether a package is built for this program.
    ///
    /// - Throws: ``PluginFault`` if the sources can't be read, or there are none.
    package func state(of source: PluginSource, for host: PluginHost) throws(PluginFault) -> State {
        let hash = try Self.hash(of: source)
        let name = Self.digest([hash, host.masterKit], length: 16)
        let folder = folder(of: source)
        let library = "\(folder)/lib\(source.title)-\(name).so"
        let files = [library, PluginRecord.path(of: library)]
        if files.allSatisfy(FileManager.default.fileExists(atPath:)) {
            return .built(library: library)
        }
        return libraries(in: folder).isEmpty
            ? .missing(library: library) : .outdated(library: library)
    }

    /// The libraries in the folder of a package; none if there is no such folder.
    private func libraries(in folder: String) -> [String] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        // A folder that can't be listed has no library that could be used.
        return (try? FileManager.default.contentsOfDirectory(atPath: folder))?
            .filter { $0.hasSuffix(".so") } ?? []
    }

    /// How many programs a package keeps a library for, so that several can use one base folder.
    private static let maximumPrograms = 4
    /// After this many seconds a library without a record is not one that is being written.
    private static let writingTime = 3600.0

    /// Removes the libraries that a new one replaces: those of the same program, and of the others
    /// all but the newest of each of the last few programs.
    package func removeLibraries(of source: PluginSource, replacedBy library: String) throws {
        let folder = folder(of: source)
        var programs = [try PluginRecord(ofLibrary: library).host.masterKit]
        let others = try libraries(in: folder).map { "\(folder)/\($0)" }
            .filter { $0 != library }
            .map { (path: $0, date: try Self.modificationDate(of: $0)) }
            .sorted { ($0.date, $0.path) > ($1.date, $1.path) }
        for (path, date) in others {
            do throws(PluginFault) {
                let program = try PluginRecord(ofLibrary: path).host.masterKit
                guard programs.contains(program) || programs.count == Self.maximumPrograms else {
                    programs.append(program)
                    continue
                }
            } catch {
                guard date.timeIntervalSinceNow < -Self.writingTime else { continue }
            }
            // The record first: a library with a record is complete.
            try Self.remove(PluginRecord.path(of: path))
            try Self.remove(path)
        }
    }

    /// The date of a file; that of one that another process has just removed is the oldest.
    private static func modificationDate(of path: String) throws -> Date {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return attributes[.modificationDate] as? Date ?? .distantPast
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            return .distantPast
        }
    }

    /// Removes a file or folder, unless it is gone.
    fileprivate static func remove(_ path: String) throws {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch let error as CocoaError where error.code == .fileNoSuchFile {
            return
        }
    }

    /// Makes a folder to build a package in, after removing those of builds that were killed.
    package func makeBuildFolder(of source: PluginSource) throws -> PluginBuildFolder {
        let folder = folder(of: source)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasPrefix(PluginBuildFolder.prefix) {
            try PluginBuildFolder.removeIfAbandoned("\(folder)/\(name)")
        }
        return try PluginBuildFolder(in: folder)
    }

    // MARK: Sources

    /// The hash of the Swift files of a package, except tests and hidden folders.
    package static func hash(of source: PluginSource) throws(PluginFault) -> String {
        let files = FileManager.default
        guard files.fileExists(atPath: source.path) else {
            throw PluginFault(
                "'\(source.label)' does not exist; 'plugins' takes the folder of a "
                    + "package, relative to this file, or a library")
        }
        guard files.fileExists(atPath: "\(source.path)/Package.swift") else {
            throw PluginFault(
                "'\(source.label)' has no Package.swift; name the folder of a Swift "
                    + "package, or a library that ends in .so")
        }
        do {
            var hasher = SHA256()
            for name in try swiftFiles(in: source.path).sorted() {
                let data = try Data(contentsOf: URL(filePath: "\(source.path)/\(name)"))
                hasher.update(data: Data("\(name)\0\(data.count)\0".utf8))
                hasher.update(data: data)
            }
            return hexadecimal(hasher.finalize(), length: 64)
        } catch {
            throw PluginFault("the sources of '\(source.label)' can't be read: \(error)")
        }
    }

    private static func swiftFiles(in folder: String, below prefix: String = "") throws -> [String]
    {
        var found: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where !name.hasPrefix(".") && (name != "Tests" || !prefix.isEmpty) {
            let path = "\(folder)/\(name)"
            if name.hasSuffix(".swift") {
                found.append(prefix + name)
            } else if try FileManager.default.attributesOfItem(atPath: path)[.type]
                as? FileAttributeType == .typeDirectory
            {
                found += try swiftFiles(in: path, below: "\(prefix)\(name)/")
            }
        }
        return found
    }

    static func digest(_ parts: [String], length: Int) -> String {
        let data = Data(parts.joined(separator: "\0").utf8)
        return hexadecimal(SHA256.hash(data: data), length: length)
    }

    private static func hexadecimal(_ digest: SHA256.Digest, length: Int) -> String {
        let digits = Array("0123456789abcdef")
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(text.prefix(length))
    }
}

/// A folder in which a package is built. It is locked, so that another process can tell whether
/// the build has been killed.
package struct PluginBuildFolder: Sendable {
    fileprivate static let prefix = "building-"

    /// The path of the folder.
    package let path: String
    private let lock: OwnedDescriptor

    fileprivate init(in folder: String) throws {
        let id = UUID().uuidString
        // It gets its name once it is locked.
        let unlocked = "\(folder)/new-\(id)"
        try FileManager.default.createDirectory(
            atPath: unlocked, withIntermediateDirectories: false)
        lock = try POSIX.open(FilePath(unlocked), O_RDONLY | O_DIRECTORY)
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else { throw Errno(rawValue: errno) }
        path = "\(folder)/\(Self.prefix)\(id)"
        try FileManager.default.moveItem(atPath: unlocked, toPath: path)
    }

    /// Removes the folder with what is in it.
    package func remove() throws {
        try PluginCache.remove(path)
        lock.unlock()
        lock.close()
    }

    /// Removes the folder of a build whose process has ended.
    fileprivate static func removeIfAbandoned(_ path: String) throws {
        let folder: OwnedDescriptor
        do {
            folder = try POSIX.open(FilePath(path), O_RDONLY | O_DIRECTORY)
        } catch  where error.number == ENOENT {
            return
        }
        guard flock(folder.number, LOCK_EX | LOCK_NB) == 0 else { return }
        try PluginCache.remove(path)
    }
}

/// Why the plugins of a package or library can't be used, in a sentence.
package struct PluginFault: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// What is kept beside a library: what it was built for, read before it is loaded.
package struct PluginRecord: Sendable, Hashable {
    package let host: PluginHost
    /// The keys of its plugins.
    package let keys: [String]

    package init(host: PluginHost, keys: [String]) {
        self.host = host
        self.keys = keys
    }

    /// The path of the record of a library.
    package static func path(of library: String) -> String { library + ".json" }

    package var json: JSONValue {
        [
            "version": 1, "swift": .string(host.swift), "masterKit": .string(host.masterKit),
            "plugins": .array(keys.map { .string($0) }),
        ]
    }

    /// Reads the record of a library.
    init(ofLibrary library: String) throws(PluginFault) {
        let path = Self.path(of: library)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PluginFault(
                "'\(library)' has no readable '\(path)' beside it, which tells what it was built "
                    + "for; copy both files that 'plugins build' made")
        }
        do {
            let json = try JSONValue(parsing: String(decoding: data, as: UTF8.self))
            guard let swift = json["swift"]?.stringValue,
                let masterKit = json["masterKit"]?.stringValue
            else {
                throw PluginFault("it lacks 'swift' or 'masterKit'")
            }
            host = PluginHost(swift: swift, masterKit: masterKit)
            keys = json["plugins"]?.arrayValue?.compactMap(\.stringValue) ?? []
        } catch {
            throw PluginFault(
                "'\(path)' can't be read: \(error); build the package again with 'plugins build'")
        }
    }
}
