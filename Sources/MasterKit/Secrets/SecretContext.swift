/// What a provider of secrets sees of the world.
///
/// A provider reaches files and programs through ``run(_:updates:)`` alone, which never blocks the
/// threads on which builds run.
public struct SecretContext: Sendable {
    /// The folder of the master.yaml, absolute; relative paths are taken from it.
    public let folder: String
    private let worker: any Worker

    /// Makes a context.
    ///
    /// - Parameters:
    ///   - folder: The folder of the master.yaml, absolute.
    ///   - worker: The machine of the master, whose relative paths start from that folder.
    public init(folder: String, worker: any Worker) {
        self.folder = folder
        self.worker = worker
    }

    /// Runs a command on the machine of the master, in the folder of the master.yaml.
    ///
    /// - Parameters:
    ///   - command: What to run; a relative path is taken from the folder.
    ///   - updates: Called for each piece of output, in order; the command waits for it.
    /// - Returns: How the command ended.
    /// - Throws: ``CommandError`` when it could not be run; what `updates` throws.
    public func run(
        _ command: Command, updates: (CommandUpdate) async throws -> Void = { _ in }
    ) async throws -> CommandResult {
        try await worker.run(command, updates: updates)
    }
}
