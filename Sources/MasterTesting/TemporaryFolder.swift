import FoundationEssentials
public import MasterKit

/// A folder for one test.
public struct TemporaryFolder: Sendable {
    /// Its absolute path.
    public let path: String

    /// Creates a folder with a name of its own inside this one.
    ///
    /// - Throws: An error of the file system.
    public func makeFolder() throws -> TemporaryFolder {
        try TemporaryFolder(in: path)
    }

    /// Writes a file, and creates the folders above it.
    ///
    /// - Parameters:
    ///   - text: The content.
    ///   - name: The path of the file, relative to the folder.
    ///   - permissions: The permission bits.
    /// - Throws: An error of the file system.
    public func write(_ text: String, to name: String, permissions: Int = 0o644) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes(
            [.posixPermissions: permissions], ofItemAtPath: file.path)
    }

    /// Returns the content of a file.
    ///
    /// - Throws: An error of the file system.
    public func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(path)/\(name)")), as: UTF8.self)
    }

    /// Whether there is a file or folder with a name.
    public func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }

    init(in parent: String = FileManager.default.temporaryDirectory.path) throws {
        let parent = parent.hasSuffix("/") ? String(parent.dropLast()) : parent
        path = "\(parent)/buildmaster-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() throws {
        try FileManager.default.removeItem(atPath: path)
    }
}

/// Runs a closure with an empty folder that is removed afterwards, with everything in it.
public func withTemporaryFolder<Value>(
    _ body: (TemporaryFolder) async throws -> Value
) async throws -> Value {
    let folder = try TemporaryFolder()
    let outcome: Result<Value, any Error>
    do {
        outcome = .success(try await body(folder))
    } catch {
        outcome = .failure(error)
    }
    try folder.remove()
    return try outcome.get()
}

/// Runs providers of secrets without a master.
///
/// ```swift
/// try await withTemporaryFolder { folder in
///     try folder.write("s3cr3t-value", to: "secrets/token", permissions: 0o600)
///     let harness = SecretHarness(folder: folder.path, worker: folder.localWorker)
///     let provider = try FileSecrets.configured("secrets")
///     #expect(try await harness.value(of: "token", from: provider) == "s3cr3t-value")
/// }
/// ```
public struct SecretHarness: Sendable {
    let folder: String
    let worker: any Worker
    let http: HTTPClient

    /// Creates a harness.
    ///
    /// - Parameters:
    ///   - folder: The folder of master.yaml, absolute.
    ///   - worker: The master's machine, for files and programs; by default a command is an error.
    ///   - http: The client for requests; by default a new one that ignores proxies in the
    ///     environment.
    public init(
        folder: String = "/", worker: any Worker = ScriptedWorker(), http: HTTPClient? = nil
    ) {
        self.folder = folder
        self.worker = worker
        self.http = http ?? HTTPClient(HTTPClientConfiguration(environment: [:]))
    }

    /// What a provider gets.
    var context: SecretContext {
        SecretContext(
            folder: folder, worker: LocatedWorker(base: worker, folder: folder), http: http)
    }

    /// Starts a provider, asks it for a secret, and stops it.
    ///
    /// - Returns: The value, or `nil` if the provider does not know the secret.
    /// - Throws: Any error from the provider.
    public func value(
        of name: String, from provider: some SecretProvider
    ) async throws -> String? {
        try await ask(provider) { try await provider.value(of: name, in: $0) }
    }

    /// Starts a provider, asks it for the secrets that commands could read, and stops it.
    ///
    /// - Parameters:
    ///   - used: The names of the secrets that master.yaml uses.
    ///   - provider: The provider.
    /// - Returns: Its secrets.
    /// - Throws: Any error from the provider.
    public func inventory(
        of used: Set<String> = [], from provider: some SecretProvider
    ) async throws -> SecretInventory {
        try await ask(provider) { try await provider.inventory(of: used, in: $0) }
    }

    private func ask<Value>(
        _ provider: some SecretProvider, _ body: (SecretContext) async throws -> Value
    ) async throws -> Value {
        let outcome: Result<Value, any Error>
        do {
            try await provider.start()
            outcome = .success(try await body(context))
        } catch {
            outcome = .failure(error)
        }
        await provider.stop()
        return try outcome.get()
    }
}

/// A worker whose relative paths start from a folder.
private struct LocatedWorker: Worker {
    let base: any Worker
    let folder: String

    var name: String { base.name }
    var isLocal: Bool { base.isLocal }

    func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try await base.run(command.resolved(in: folder), input: input, updates: updates)
    }
}
