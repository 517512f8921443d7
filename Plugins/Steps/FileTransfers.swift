public import MasterKit
import Synchronization

/// Copies a file from the worker to the master.
public struct FileUpload: Step {
    /// What the step does.
    public static let summary = "Copies a file from the worker to the master."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("The file, relative to the folder of the step.")
    var workersrc: Renderable<WorkerPath>

    @Setting("Where it is put, relative to the folder of master.yaml.")
    var masterdest: Renderable<WorkerPath>

    @SettingGroup var transfer: TransferSettings

    @Setting("Keep the time at which the file was last changed.")
    var keepstamp = Renderable(false)

    @Setting("Whether the destination may be outside the folder of master.yaml.")
    var outside = Renderable(false)

    @SettingGroup var link: UploadLink

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// Reports a destination that is always refused.
    public func check(_ settings: SettingsCheck) {
        masterdest.checkIsInside(
            "the folder of master.yaml", of: "masterdest", outside: outside, settings)
    }

    /// Copies the file; an existing file at the destination is kept until the copy is complete.
    public func run(in context: StepContext) async throws -> Results {
        let source = try context.render(workersrc).text
        let target = try context.render(masterdest).text
        var download = try transfer.download(to: target, in: context)
        if try !context.render(outside) { download.folder = context.masterFolder }
        return try await context.withFiles("uploading \(source)") {
            let keepsTime = try context.render(keepstamp)
            let status = try await context.status(of: source, on: .worker)
            if keepsTime { download.modified = status.modified }
            let upload = try transfer.upload(of: source, in: context)
            try await context.copy(upload, on: .worker, to: download, on: .master)
            try await link.add(to: context, from: target)
            return "uploaded \(source)"
        }
    }
}

/// Copies a file from the master to the worker.
public struct FileDownload: Step {
    /// What the step does.
    public static let summary = "Copies a file from the master to the worker."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("The file, relative to the folder of master.yaml.")
    var mastersrc: Renderable<WorkerPath>

    @SettingGroup var destination: WorkerDestination

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// Copies the file; an existing file at the destination is kept until the copy is complete.
    public func run(in context: StepContext) async throws -> Results {
        let source = try context.render(mastersrc).text
        let download = try destination.download(in: context)
        return try await context.withFiles("downloading \(source)") {
            _ = try await context.status(of: source, on: .master)
            let upload = try destination.transfer.upload(of: source, in: context)
            try await context.copy(upload, on: .master, to: download, on: .worker)
            return "downloaded \(source)"
        }
    }
}

/// Writes a string to a file on the worker.
public struct StringDownload: Step {
    /// What the step does.
    public static let summary = "Writes a text into a file of the worker."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("The content of the file.")
    var s: Renderable<String>

    @SettingGroup var destination: WorkerDestination

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// Writes the file.
    public func run(in context: StepContext) async throws -> Results {
        try await destination.write(context.render(s), in: context)
    }
}

/// Writes a value as JSON to a file on the worker.
public struct JSONStringDownload: Step {
    /// What the step does.
    public static let summary = "Writes a value as JSON into a file of the worker."

    /// A failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("The value: any JSON value.")
    var o: Renderable<JSONValue>

    @SettingGroup var destination: WorkerDestination

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? { StepProducts(logs: ["stdio"]) }

    /// Writes the file.
    public func run(in context: StepContext) async throws -> Results {
        try await destination.write(JSONWriter().string(context.render(o)), in: context)
    }
}

/// The settings of steps that write a file on another machine.
struct TransferSettings: SettingHints {
    @Setting("The permissions of the file in octal; by default 0644.")
    var mode: Renderable<FileMode> = Renderable(FileMode(bits: 0o644))

    @Setting("The largest file that is copied; null for any.")
    var maxsize: Renderable<ByteCount?>

    @Setting("How much is read at once.")
    var blocksize: Renderable<BlockSize> = Renderable(BlockSize(byteCount: 256 << 10))

    /// A hint for a setting that these steps do not have.
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "url", "urlText": "use 'urls', a mapping of texts to addresses"
        case "slavesrc": "write 'workersrc'"
        case "slavedest": "write 'workerdest'"
        default: nil
        }
    }

    /// Returns the command that reads the file.
    func upload(of path: String, in context: StepContext) throws -> Command.UploadFile {
        Command.UploadFile(
            path, maxByteCount: try context.render(maxsize)?.bytes,
            blockByteCount: try context.render(blocksize).byteCount)
    }

    /// Returns the command that writes the file.
    func download(to path: String, in context: StepContext) throws -> Command.DownloadFile {
        Command.DownloadFile(
            path, permissions: try context.render(mode).bits,
            maxByteCount: try context.render(maxsize)?.bytes)
    }
}

/// The settings of steps that write a file on the worker.
struct WorkerDestination: Settings {
    @Setting("Where it is put, relative to the folder of the step.")
    var workerdest: Renderable<WorkerPath>

    @SettingGroup var transfer: TransferSettings

    @Setting("Whether the destination may be outside the folder of the step.")
    var outside = Renderable(false)

    /// Reports a destination that is always refused.
    func check(_ settings: SettingsCheck) {
        workerdest.checkIsInside(
            "the folder of the step", of: "workerdest", outside: outside, settings)
    }

    /// Returns the command that writes the file.
    func download(in context: StepContext) throws -> Command.DownloadFile {
        var command = try transfer.download(to: context.render(workerdest).text, in: context)
        if try !context.render(outside) { command.folder = context.workdir }
        return command
    }

    /// Writes a string to the file.
    func write(_ text: String, in context: StepContext) async throws -> Results {
        let command = try download(in: context)
        return try await context.withFiles("writing \(command.path)") {
            _ = try await context.run(.downloadFile(command), input: .text(text))
            return "wrote \(command.path)"
        }
    }
}

extension Renderable<WorkerPath> {
    /// Warns of a relative path that leads out of its folder, where a step does not write.
    fileprivate func checkIsInside(
        _ folder: String, of name: String, outside: Renderable<Bool>, _ settings: SettingsCheck
    ) {
        guard outside.constant == false, let path = constant?.text, !path.hasPrefix("/")
        else { return }
        var depth = 0
        for part in path.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            guard depth < 0 else { continue }
            settings.warning(
                "'\(path)' is outside of \(folder) and is refused; correct the path, or set "
                    + "'outside: true'", at: name)
            return
        }
    }
}

extension CommandInput {
    /// The bytes of a text.
    static func text(_ text: String) -> CommandInput {
        let rest = Mutex(Array(text.utf8)[...])
        return CommandInput { limit in
            rest.withLock { rest in
                defer { rest = rest.dropFirst(limit) }
                return Array(rest.prefix(limit))
            }
        }
    }
}

/// The setting `mode`: permission bits in octal, as for `chmod`.
struct FileMode: SettingValue {
    let bits: UInt32

    static var shape: String { "permissions in octal such as 0644" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FileMode? {
        guard let spelling = node.scalar?.value,
            let bits = UInt32(spelling.trimmingPrefix("0o"), radix: 8), bits <= 0o7777
        else { return decoder.mismatch(node, expected: shape) }
        return FileMode(bits: bits)
    }
}

/// The setting `blocksize`: a size that is greater than zero and small enough to keep in memory.
struct BlockSize: SettingValue {
    let byteCount: Int

    static var shape: String { "a size from 1 to 16MiB" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BlockSize? {
        guard let count = decoder.decode(ByteCount.self, from: node)?.bytes else { return nil }
        guard (1...(16 << 20)).contains(count) else {
            return decoder.mismatch(node, expected: shape)
        }
        return BlockSize(byteCount: count)
    }
}

extension StepContext {
    /// Returns the status of a file; throws if it does not exist, before anything is opened.
    fileprivate func status(
        of path: String, on machine: CommandMachine
    ) async throws -> CommandResult.FileStatus {
        let result = try await run(.stat(.init(path)), on: machine)
        guard case .status(let status?) = result.value else {
            throw CommandError(.notFound, "no file \(path); check the path")
        }
        return status
    }

    /// Copies a file from one machine to the other, in chunks, and returns the number of bytes.
    @discardableResult func copy(
        _ upload: Command.UploadFile, on source: CommandMachine,
        to download: Command.DownloadFile, on target: CommandMachine
    ) async throws -> Int {
        let pipe = BytePipe()
        let errors = await withTaskGroup(of: (any Error)?.self) { group in
            group.addTask {
                await pipe.giving {
                    _ = try await run(.uploadFile(upload), on: source) { update in
                        if case .content(let bytes) = update.content { try await pipe.put(bytes) }
                    }
                }
            }
            group.addTask {
                await pipe.taking {
                    let input = CommandInput { try await pipe.next($0) }
                    _ = try await run(.downloadFile(download), on: target, input: input)
                }
            }
            return await group.reduce(into: [any Error]()) { errors, error in
                if let error { errors.append(error) }
            }
        }
        // If one side fails, the other one is cancelled; report the actual failure.
        if let error = errors.first(where: { !($0 is CancellationError) }) ?? errors.first {
            throw error
        }
        return pipe.byteCount
    }
}

/// Passes bytes between two tasks, one chunk at a time: the producer waits for the consumer.
private final class BytePipe: Sendable {
    private let pieces = AsyncThrowingStream<[UInt8], any Error>.makeStream()
    /// Yields once for each chunk that has been consumed.
    private let turns = AsyncStream<Void>.makeStream()
    private let rest = Mutex<ArraySlice<UInt8>?>(nil)
    private let count = Mutex(0)

    /// The number of bytes that have been provided.
    var byteCount: Int { count.withLock(\.self) }

    /// Runs the producer; when it returns, the bytes end, and if it throws, the consumer gets the
    /// error.
    func giving(_ body: () async throws -> Void) async -> (any Error)? {
        do {
            try await body()
            pieces.continuation.finish()
            return nil
        } catch {
            pieces.continuation.finish(throwing: error)
            return error
        }
    }

    /// Runs the consumer; when it returns, the producer can't provide further bytes.
    func taking(_ body: () async throws -> Void) async -> (any Error)? {
        defer { turns.continuation.finish() }
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    /// Provides bytes and waits until they are consumed.
    func put(_ bytes: [UInt8]) async throws {
        count.withLock { $0 += bytes.count }
        pieces.continuation.yield(bytes)
        for await _ in turns.stream { return }
        throw CancellationError()
    }

    /// Returns the next bytes, or an empty array at the end.
    func next(_ limit: Int) async throws -> [UInt8] {
        if let piece = take(limit) {
            if !piece.isEmpty { return piece }
            turns.continuation.yield()
        }
        for try await piece in pieces.stream {
            rest.withLock { $0 = piece[...] }
            return take(limit) ?? []
        }
        // A stream also ends if its task is cancelled, which must not be mistaken for the end of
        // the file.
        try Task.checkCancellation()
        return []
    }

    /// Takes bytes from the current chunk; `nil` before the first one.
    private func take(_ limit: Int) -> [UInt8]? {
        rest.withLock { rest in
            guard let piece = rest else { return nil }
            rest = piece.dropFirst(limit)
            return Array(piece.prefix(limit))
        }
    }
}
