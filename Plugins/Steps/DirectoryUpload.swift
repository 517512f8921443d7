public import MasterKit

/// Copies a folder with its content from the worker to the master.
public struct DirectoryUpload: Step, SettingHints {
    /// What the step does.
    public static let summary = "Copies a folder with all that is in it to the master."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    /// The maximum number of files and folders.
    private static let maximumCount = 100_000

    @Setting("The folder, relative to the folder of the step.")
    var workersrc: Renderable<FolderPath>

    @Setting("Where its content is put, relative to the folder of master.yaml.")
    var masterdest: Renderable<FolderPath>

    @Setting("How large all files may be together; null for any size.")
    var maxsize: Renderable<ByteCount?>

    @Setting("How much is read at once.")
    var blocksize: Renderable<BlockSize> = Renderable(BlockSize(byteCount: 256 << 10))

    @Setting("Accepted, but has no effect: files are copied one by one.")
    var compress: Renderable<ArchiveCompression?>

    @Setting("Whether the destination may be outside the folder of master.yaml.")
    var outside = Renderable(false)

    @SettingGroup var link: UploadLink

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio", "omitted"]) }

    /// Reports a setting without effect.
    public func check(_ settings: SettingsCheck) {
        if compress.constant != .some(nil) {
            settings.warning(
                "'compress' has no effect, as files are copied one by one; remove it",
                at: "compress")
        }
    }

    /// Copies the folder, file by file; each file replaces the one of the same name.
    public func run(in context: StepContext) async throws -> Results {
        let source = try context.render(workersrc).text
        let target = try context.render(masterdest).text
        let isOutside = try context.render(outside)
        let limit = try context.render(maxsize)?.bytes
        let block = try context.render(blocksize).byteCount
        return try await context.withFiles("uploading \(source)") {
            guard let status = try await context.find(source, on: .worker) else {
                throw CommandError(.notFound, "no folder \(source); check the path")
            }
            guard status.kind == .directory else {
                throw CommandError(.invalid, "\(source) is not a folder; use 'steps.FileUpload'")
            }
            if !isOutside { try await context.checkInside(target) }
            var copy = FolderCopy(
                source: source, target: target, isOutside: isOutside, limit: limit, block: block)
            try await copy.run(in: context, maximumCount: Self.maximumCount)
            try await link.add(to: context, from: target)
            let count = copy.fileCount
            return "uploaded \(source), \(count == 1 ? "1 file" : "\(count) files")"
        }
    }

    /// A hint for a setting that this step does not have.
    public static func hint(forUnknown name: String) -> String? {
        TransferSettings.hint(forUnknown: name)
    }
}

/// A copy of a folder in progress.
private struct FolderCopy {
    let source: String
    let target: String
    let isOutside: Bool
    /// The most bytes of all files together.
    let limit: Int?
    let block: Int
    private(set) var fileCount = 0
    private var byteCount = 0

    /// The longest path below the folder: as Linux has it.
    private static let longestPath = 4096

    init(source: String, target: String, isOutside: Bool, limit: Int?, block: Int) {
        self.source = source
        self.target = target
        self.isOutside = isOutside
        self.limit = limit
        self.block = block
    }

    /// Copies everything that is in the folder. Symbolic links are never followed, neither in the
    /// source nor in the destination.
    mutating func run(in context: StepContext, maximumCount: Int) async throws {
        let content = try await list(in: context, maximumCount)
        try await check(content, in: context)
        for folder in content.folders {
            try await context.makeFolder(target + folder, isTop: folder.isEmpty)
        }
        for (path, status) in content.files { try await copy(path, status, in: context) }
        let omitted = content.omitted
        guard !omitted.isEmpty else { return }
        let log = try await context.openLog("omitted", kind: .text)
        for path in omitted {
            try await log.line("\(path): not a regular file, or a symbolic link")
        }
    }

    /// Checks that everything can be put in its place, before anything is written.
    private func check(_ content: Content, in context: StepContext) async throws {
        // Of a folder that does not exist yet, nothing is in the way.
        var existing: Set<Substring> = []
        for folder in content.folders
        where folder.isEmpty || existing.contains(Self.parent(of: folder)) {
            if try await context.hasFolder(target + folder, isTop: folder.isEmpty) {
                existing.insert(folder[...])
            }
        }
        for (path, _) in content.files where existing.contains(Self.parent(of: path)) {
            if !isOutside, context.isConfiguration(target + path) {
                throw CommandError(
                    .outsideRoot,
                    "\(target + path) is the master's configuration and not overwritten; set "
                        + "'outside: true' if that is meant")
            }
            let status = try await context.find(target + path, on: .master, isLink: true)
            guard status?.kind == .directory else { continue }
            throw CommandError(
                .invalid,
                "\(target + path) on the master is a folder, and not replaced by a file; remove it")
        }
    }

    private static func parent(of path: String) -> Substring {
        path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    }

    /// What is in the folder, as it is before anything is copied: the destination may be in there.
    private struct Content {
        /// The folders, each after the one around it.
        var folders: [String] = []
        var files: [(path: String, status: CommandResult.FileStatus)] = []
        var omitted: [String] = []
    }

    private func list(in context: StepContext, _ maximumCount: Int) async throws -> Content {
        var content = Content()
        var open = [""]
        var count = 0
        while let folder = open.popLast() {
            content.folders.append(folder)
            let list = try await context.run(.listdir(.init(source + folder)))
            guard case .names(let names) = list.value else { continue }
            count += names.count
            guard count <= maximumCount else {
                throw CommandError(
                    .tooLarge,
                    "\(source) has more than \(maximumCount) entries; pack it with tar first")
            }
            for name in names {
                let path = "\(folder)/\(name)"
                guard path.utf8.count <= Self.longestPath else {
                    throw CommandError(
                        .tooLarge,
                        "\(source) has folders nested so deep that a path has more than "
                            + "\(Self.longestPath) bytes; pack it with tar first")
                }
                guard let status = try await context.find(source + path, on: .worker, isLink: true)
                else { continue }
                switch status.kind {
                case .directory: open.append(path)
                case .file: content.files.append((path, status))
                case .other: content.omitted.append(source + path)
                }
            }
        }
        return content
    }

    private mutating func copy(
        _ path: String, _ status: CommandResult.FileStatus, in context: StepContext
    ) async throws {
        let rest = limit.map { $0 - byteCount }
        if let rest, let limit, status.byteCount > rest {
            throw CommandError(
                .tooLarge, "the files of \(source) have more than the \(limit) bytes of 'maxsize'")
        }
        var download = Command.DownloadFile(
            target + path, permissions: status.permissions & 0o777, maxByteCount: rest,
            modified: status.modified)
        if !isOutside { download.folder = context.masterFolder }
        let upload = Command.UploadFile(source + path, maxByteCount: rest, blockByteCount: block)
        // The worker's word for the size is not relied upon.
        byteCount += try await context.copy(upload, on: .worker, to: download, on: .master)
        fileCount += 1
    }
}

/// The settings for a link to what has been uploaded.
struct UploadLink: Settings {
    @Setting("The address at which the upload can be found, which becomes a link of the step.")
    var url: Renderable<String?>

    @Setting("The text of the link; by default the name of the destination.")
    var urlText: Renderable<String?>

    /// Adds the link to the step, if there is one.
    func add(to context: StepContext, from path: String) async throws {
        guard let url = try context.render(url) else { return }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        await context.addURL(try context.render(urlText) ?? name, url)
    }
}

/// The setting `compress` of Buildbot.
enum ArchiveCompression: String, SettingEnumeration {
    case gz
    case bz2
}

extension StepContext {
    /// Returns the status of a file, or `nil` if it does not exist; with `isLink`, that of a
    /// symbolic link itself.
    fileprivate func find(
        _ path: String, on machine: CommandMachine, isLink: Bool = false
    ) async throws -> CommandResult.FileStatus? {
        let result = try await run(.stat(.init(path, followsLinks: !isLink)), on: machine)
        guard case .status(let status) = result.value else { return nil }
        return status
    }

    /// Makes a folder on the master.
    fileprivate func makeFolder(_ path: String, isTop: Bool) async throws {
        guard try await !hasFolder(path, isTop: isTop) else { return }
        _ = try await run(.mkdir(.init(path)), on: .master)
    }

    /// Whether there is a folder on the master; anything else in its place, such as a symbolic link,
    /// is an error.
    fileprivate func hasFolder(_ path: String, isTop: Bool) async throws -> Bool {
        guard let status = try await find(path, on: .master, isLink: !isTop) else { return false }
        guard status.kind == .directory else {
            throw CommandError(
                .invalid, "\(path) on the master is not a folder, and is not replaced; remove it")
        }
        return true
    }

    /// Whether a path on the master, relative to its folder, is that of its configuration.
    fileprivate func isConfiguration(_ path: String) -> Bool {
        guard let masterFile else { return false }
        func parts(_ path: String) -> [Substring] {
            path.split(separator: "/").filter { $0 != "." }
        }
        return parts(path.hasPrefix("/") ? path : "\(masterFolder)/\(path)") == parts(masterFile)
    }

    /// Checks that a path on the master is inside the folder of master.yaml, and that no symbolic
    /// link leads out of it.
    fileprivate func checkInside(_ path: String) async throws {
        let inner =
            path.hasPrefix(masterFolder + "/") ? String(path.dropFirst(masterFolder.count)) : path
        let parts = inner.split(separator: "/").filter { $0 != "." }
        let isAbsolute = path.hasPrefix("/") && inner == path
        guard !isAbsolute, !parts.contains("..") else { throw outsideFault(path) }
        var place = masterFolder
        for part in parts {
            place += "/\(part)"
            guard let status = try await find(place, on: .master, isLink: true) else { return }
            if status.kind != .directory { throw outsideFault(path) }
        }
    }

    private func outsideFault(_ path: String) -> CommandError {
        CommandError(
            .invalid,
            "\(path) is not a folder inside the folder of master.yaml, and not written; set "
                + "'outside: true' if that is meant")
    }
}
