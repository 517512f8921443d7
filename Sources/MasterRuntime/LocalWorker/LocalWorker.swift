import Glibc
package import MasterKit
import SystemPackage

/// A worker that runs commands on this machine, as this user.
package struct LocalWorker: Worker {
    /// The worker's name in builds.
    package private(set) var name: String

    /// The folder that relative paths refer to, and outside of which nothing is deleted or
    /// overwritten unless a command allows it; an absolute path.
    package private(set) var root: String

    /// Whether programs run on the master's machine, as they do here.
    package var isLocal: Bool { true }

    private var environment: ChildEnvironment
    private var withheld: Set<String>
    let commands = LiveCommands()
    /// The base folder, whose files of the master no command may write or remove.
    private var basedir: FilePath?
    /// The file of the master, which is not overwritten unless a command allows it.
    private var configuration: FilePath?

    /// Creates a worker with a snapshot of this process's environment variables.
    ///
    /// - Parameters:
    ///   - root: The folder that relative paths refer to; an absolute path. It need not exist.
    ///   - name: The worker's name in builds.
    ///   - withheld: Variables that are not passed to programs unless a command sets them.
    package init(root: String, name: String = "local", withholding withheld: Set<String> = []) {
        precondition(root.hasPrefix("/"), "the root of a local worker is an absolute path")
        self.name = name
        self.root = root
        self.withheld = withheld
        environment = ChildEnvironment.ofThisProcess.without(withheld)
    }

    /// Creates a worker for the builds of a master, which protects the master's own files.
    ///
    /// - Parameters:
    ///   - basedir: The base folder; builds run in its folder `work`.
    ///   - name: The worker's name in builds.
    ///   - withheld: Variables that are not passed to programs unless a command sets them.
    ///   - configuration: A file that is not overwritten unless a command allows it.
    init(
        basedir: String, name: String = "local", withholding withheld: Set<String>,
        configuration: FilePath? = nil
    ) {
        self.init(root: basedir + "/work", name: name, withholding: withheld)
        self.basedir = FilePath(basedir)
        self.configuration = configuration
    }

    /// A copy of the worker with another name.
    func named(_ name: String) -> LocalWorker {
        var worker = self
        worker.name = name
        return worker
    }

    /// A copy of the worker that deletes and overwrites in another folder only.
    func rooted(at folder: String) -> LocalWorker {
        var worker = self
        worker.root = folder
        worker.basedir = nil
        return worker
    }

    /// A copy of the worker that withholds additional variables from programs.
    func withholding(_ variables: Set<String>) -> LocalWorker {
        var worker = self
        worker.withheld.formUnion(variables)
        worker.environment = environment.without(variables)
        return worker
    }

    /// Kills processes left behind by commands of an earlier master, and records this one instead.
    ///
    /// - Parameter path: The file in which masters record the mark of their commands; no other
    ///   process may be using it.
    /// - Returns: The processes that were killed, such as `sleep (4711)`.
    /// - Throws: `CommandError` if the file cannot be read or written.
    func endAbandonedCommands(notedAt path: String) async throws -> [String] {
        try await OwnThread.run {
            do {
                return try CommandRecord(path: FilePath(path)).replace().map(\.description)
            } catch let fault as SystemFault {
                throw CommandError("\(path) cannot be read or written", fault)
            } catch let fault as Errno {
                throw CommandError(
                    "\(path) cannot be read or written", SystemFault(fault.rawValue))
            }
        }
    }

    /// Kills all running programs without waiting for them to exit.
    package func abandonCommands() {
        commands.kill()
    }

    /// The variables that a program gets.
    func environment(of shell: Command.Shell) -> [String: String] {
        environment.extended(with: shell.environment).variables
    }

    /// Runs one command to completion; see `Worker` for the order of updates.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - input: The bytes that `downloadFile` writes.
    ///   - updates: Receives the command's output while it runs.
    /// - Returns: How the command ended, and the requested value.
    /// - Throws: `CommandError`, `CancellationError`, and what `input` and `updates` throw. A local
    ///   worker is never lost.
    package func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        try Task.checkCancellation()
        let started = ContinuousClock.now
        let value: CommandResult.Value
        switch command {
        case .shell(let shell):
            let run = ProgramRun(
                shell, in: path(shell.workdir), environment: environment, withheld: withheld,
                commands: commands, started: started)
            return try await run.run(updates: updates)
        case .mkdir(let folder):
            value = try await OwnThread.run { try make(folder) }
        case .rmdir(let folder):
            value = try await OwnThread.run { stop in try remove(folder, until: stop) }
        case .cpdir(let folders):
            value = try await OwnThread.run { stop in try copy(folders, until: stop) }
        case .stat(let stat):
            value = try await OwnThread.run {
                .status(
                    try FileLookup.status(
                        of: path(stat.path), followingLinks: stat.followsLinks ?? true))
            }
        case .glob(let glob):
            value = try await OwnThread.run {
                .names(try FileLookup.glob(glob.pattern, from: path(glob.folder).string))
            }
        case .listdir(let folder):
            value = try await OwnThread.run {
                .names(try FileLookup.names(in: path(folder.path)))
            }
        case .uploadFile(let file):
            let upload = FileUpload(file, at: path(file.path), started: started)
            value = try await upload.run(updates)
        case .downloadFile(let file):
            value = try await FileDownload(file, at: try await entry(for: file)).run(input)
        }
        try Task.checkCancellation()
        return CommandResult(elapsed: .now - started, value: value)
    }

    /// The absolute path of a command's path.
    func path(_ path: String) -> FilePath {
        FilePath(root).place(of: path)
    }
}

/// Commands that only make system calls; each blocks its thread.
extension LocalWorker {
    func make(_ folder: Command.MakeDirectory) throws -> CommandResult.Value {
        let folderPath = path(folder.path)
        let entry = folderPath.withoutLinks
        if let outside = folder.outside {
            try checkIsInside(entry, of: folder.path, outside: outside, to: "used")
        }
        try checkIsNotOwn(entry, of: folder.path, to: "created")
        try FileTree.make(folderPath)
        return .nothing
    }

    func remove(
        _ folder: Command.RemoveDirectory, until stop: StopFlag
    ) throws -> CommandResult.Value {
        let entry = path(folder.path).entryWithoutLinks
        try checkIsInside(entry, of: folder.path, outside: folder.outside, to: "removed")
        try FileTree(stop).remove(entry)
        return .nothing
    }

    func copy(_ copy: Command.CopyDirectory, until stop: StopFlag) throws -> CommandResult.Value {
        let entry = path(copy.destination).entryWithoutLinks
        try checkIsInside(entry, of: copy.destination, outside: copy.outside, to: "overwritten")
        try FileTree(stop).copy(path(copy.source).withoutLinks, to: entry)
        return .nothing
    }

    /// Where a file is to be written, if it may be.
    private func entry(for file: Command.DownloadFile) async throws -> FilePath {
        try await OwnThread.run {
            let entry = path(file.path).entryWithoutLinks
            try checkIsNotOwn(entry, of: file.path, to: "written")
            guard let folder = file.folder else {
                try checkHoldsNoBuilds(entry, of: file.path, to: "written")
                return entry
            }
            guard entry.isBelow(path(folder).withoutLinks) else {
                throw CommandError(
                    .outsideRoot,
                    "\(file.path) is outside of \(folder) and not written"
                        + "\(leading(file.path, to: entry)); "
                        + "correct the path, or set outside: true if this is intended"
                )
            }
            try checkHoldsNoBuilds(entry, of: file.path, to: "written")
            if let configuration,
                [configuration.entryWithoutLinks, configuration.withoutLinks].contains(entry)
            {
                throw CommandError(
                    .outsideRoot,
                    "\(file.path) is the master's configuration and not written"
                        + "\(leading(file.path, to: entry)); correct the path, or set outside: true if this is intended"
                )
            }
            return entry
        }
    }

    private func checkIsInside(
        _ entry: FilePath, of path: String, outside: Bool, to verb: String
    ) throws(CommandError) {
        try checkHoldsNoBuilds(entry, of: path, to: verb)
        try checkIsNotOwn(entry, of: path, to: verb)
        guard !outside else { return }
        let target = FilePath(root).withoutLinks
        guard entry.isBelow(target) else {
            throw CommandError(
                .outsideRoot,
                "\(path) is outside of \(target) and not \(verb)\(leading(path, to: entry)); correct the "
                    + "path, or set outside: true if this is intended"
            )
        }
        // A command of a build may have put the link there.
        guard try FileTree.kind(of: FilePath(root), followingLinks: false) == S_IFLNK
        else { return }
        throw CommandError(
            .outsideRoot,
            "\(path) is not \(verb) because the folder of builds is a symbolic link; \(root) leads "
                + "to \(target): replace the link with a folder, or set outside: true if this is "
                + "intended"
        )
    }

    /// Where a path leads to, if it does not say so itself.
    private func leading(_ path: String, to entry: FilePath) -> String {
        path == entry.string ? "" : "; it leads to \(entry)"
    }

    /// Checks that an entry is neither the folder of builds, nor a link to it, nor above them.
    private func checkHoldsNoBuilds(
        _ entry: FilePath, of path: String, to verb: String
    ) throws(CommandError) {
        let folders = [FilePath(root).entryWithoutLinks, FilePath(root).withoutLinks]
        guard folders.contains(where: { entry == $0 || $0.isBelow(entry) }) else { return }
        throw CommandError(
            .outsideRoot,
            "\(path) \(folders.contains(entry) ? "is" : "holds") the folder of builds and is not "
                + "\(verb)\(leading(path, to: entry)); correct the path"
        )
    }

    /// Checks that an entry is not a file of the master in its base folder, such as the store.
    private func checkIsNotOwn(
        _ entry: FilePath, of path: String, to verb: String
    ) throws(CommandError) {
        guard let base = basedir?.withoutLinks, entry.isBelow(base),
            let name = entry.components.dropFirst(base.components.count).first,
            StoreFolder.isOwn(name.string)
        else { return }
        throw CommandError(
            .outsideRoot,
            "\(path) belongs to the master and is not \(verb)\(leading(path, to: entry)); choose "
                + "another path"
        )
    }
}
