internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import MasterKit
internal import MasterRuntime
internal import Synchronization

/// Runs again whenever files of a project change: those that git does not ignore, or without git all
/// but those in the base folder.
struct ProjectWatch: Sendable {
    /// How long nothing may change before the next run.
    private static let quiet: Duration = .milliseconds(300)
    private static let shownNames = 3
    /// The maximum number of paths passed to git at once.
    private static let pathsAtOnce = 500

    /// The folder, without symbolic links.
    private let folder: String
    private let basedir: String
    private let console: Console
    /// Runs git; `nil` if the folder is not in a working tree.
    private let git: Git?

    /// Prepares to watch the working tree around a folder, or the folder itself.
    init(
        around folder: String, basedir: String, _ context: CommandContext
    ) async {
        let path = URL(filePath: folder).resolvingSymlinksInPath().path
        let git = Git(folder: path, environment: context.environment)
        if case .success(.output(let top)) = await git.run("rev-parse", "--show-toplevel") {
            self.folder = top
            self.git = Git(folder: top, environment: context.environment)
        } else {
            self.folder = path
            self.git = nil
        }
        self.basedir = URL(filePath: basedir).resolvingSymlinksInPath().path
        console = context.console
    }

    /// Repeats runs until a signal.
    ///
    /// Changes during a run are taken up after it. A file that changes in two runs in a row is
    /// written by the steps, and its changes during runs no longer count.
    func repeating(_ run: () async throws -> ExitStatus) async throws -> ExitStatus {
        let arrival = SignalArrival()
        var own: Set<String> = []
        var before: Set<String> = []
        while true {
            let watch = try FolderWatch(try await folders())
            let status = try await run()
            if status.isSignal { return status }
            // Until the next run takes its own signals.
            try StopSignal.watch { arrival.note($0) }
            let pending = watch.pending()
            let during = Set(await relevant(pending.paths))
            let again = during.intersection(before).subtracting(own)
            if !again.isEmpty {
                own.formUnion(again)
                await say(
                    "ignoring \(names(again)): every run changes them; add them to .gitignore")
            }
            before = during
            var changed = during.subtracting(own)
            if changed.isEmpty, !pending.isUncertain {
                await say("watching \(folder) for changes; Ctrl-C ends")
                changed = try await wait(for: watch, arrival)
            }
            // Until the next run takes its own signals, one ends the program, as before the first run.
            try StopSignal.watch { [console] signal in
                console.flush(within: .milliseconds(200))
                _exit(ExitStatus(signal).code)
            }
            if let signal = arrival.signal { return ExitStatus(signal) }
            await say("changed: \(changed.isEmpty ? "many files" : names(changed)); running again")
        }
    }

    /// Waits for a change that counts, or a signal.
    private func wait(
        for watch: FolderWatch, _ arrival: SignalArrival
    ) async throws -> Set<String> {
        var (watch, made) = (watch, Set<String>())
        while true {
            arrival.stops(watch)
            var changes = try await watch.next(quiet: Self.quiet)
            if arrival.signal != nil { return [] }
            let new = await newFolders(among: changes.paths)
            if !new.isEmpty {
                // Watched before their contents are listed; what changes meanwhile, the old watch saw.
                made.formUnion(new)
                let old = watch
                watch = try FolderWatch(try await folders() + made.sorted())
                changes.merge(old.pending())
            }
            let changed = Set(await relevant(changes.paths))
            if !changed.isEmpty || changes.isUncertain { return changed }
        }
    }

    /// The folders among changed paths, and those in them, except for what git ignores.
    ///
    /// Folder by folder, so that nothing is listed in an ignored one. Symbolic links are not
    /// followed.
    private func newFolders(among paths: Set<String>) async -> Set<String> {
        var found: Set<String> = []
        var open = Array(paths)
        while !open.isEmpty {
            let folders = open.filter {
                !isInternal($0) && Self.isFolder($0) && !Self.isLink($0)
            }
            let new = await withoutIgnored(folders).filter { found.insert($0).inserted }
            open = new.flatMap { path in
                // Nothing if it is gone again.
                let names = try? FileManager.default.contentsOfDirectory(atPath: path)
                return (names ?? []).map { "\(path)/\($0)" }
            }
        }
        return found
    }

    /// The paths that git does not ignore.
    private func withoutIgnored(_ paths: [String]) async -> [String] {
        guard let git, !paths.isEmpty else { return paths }
        let ignored = await list(git, ["check-ignore", "-z", "--stdin"], paths)
        return paths.filter { !ignored.contains($0) }
    }

    /// Whether a path leads to a folder.
    private static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }

    /// Whether a path is a symbolic link.
    private static func isLink(_ path: String) -> Bool {
        // Not if it is gone again.
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.type] as? FileAttributeType == .typeSymbolicLink
    }

    private func say(_ text: String) async {
        await console.complain([text.makingControlsVisible()])
    }

    private func names(_ paths: Set<String>) -> String {
        let shown = paths.sorted().prefix(Self.shownNames).map { path in
            path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
        }
        let others = paths.count - shown.count
        return shown.joined(separator: ", ") + (others > 0 ? " and \(others) more" : "")
    }

    // MARK: Files

    /// The folders to watch: those with files that git does not ignore.
    private func folders() async throws -> [String] {
        guard Self.isFolder(folder) else {
            throw FailedRun("the folder \(folder) is gone, so nothing can be watched in it")
        }
        var folders: Set<String> = [folder]
        if let git {
            let listing = await git.run(
                "ls-files", "-z", "--cached", "--others", "--exclude-standard")
            guard case .success(.output(let text)) = listing else {
                throw FailedRun("git cannot list the files of \(folder); check 'git status'")
            }
            for file in text.split(separator: "\0") {
                var path = file
                while let slash = path.lastIndex(of: "/") {
                    path = path[..<slash]
                    guard folders.insert("\(folder)/\(path)").inserted else { break }
                }
            }
        } else {
            let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
            folders.formUnion(paths.map { "\(folder)/\($0)" }.filter(Self.isFolder))
        }
        return folders.filter { !isInternal($0) }.sorted()
    }

    /// Whether a path is the base folder, a repository of git, or in one of them.
    private func isInternal(_ path: String) -> Bool {
        path == basedir || path.hasPrefix(basedir + "/")
            || path.dropFirst(folder.count).split(separator: "/").contains(".git")
    }

    /// The changed files that count: neither ignored, nor temporary ones that came and went.
    private func relevant(_ paths: Set<String>) async -> [String] {
        let paths = paths.filter { !isInternal($0) }.sorted()
        guard let git else { return paths }
        var found: [String] = []
        for start in stride(from: 0, to: paths.count, by: Self.pathsAtOnce) {
            let some = Array(paths[start..<min(start + Self.pathsAtOnce, paths.count)])
            // Of a new folder these are the files in it.
            let known = await list(
                git,
                [
                    "--literal-pathspecs", "ls-files", "-z", "--full-name", "--cached", "--others",
                    "--exclude-standard", "--",
                ] + some)
            let files = known.map { "\(folder)/\($0)" }
            found += some.filter { path in
                files.contains { $0 == path || $0.hasPrefix(path + "/") }
            }
        }
        return found
    }

    /// The paths that git prints; none when it finds none.
    private func list(
        _ git: Git, _ arguments: [String], _ input: [String] = []
    ) async -> Set<String> {
        let input = input.map { $0 + "\0" }.joined()
        guard case .success(.output(let text)) = await git.run(arguments, input: input) else {
            return []
        }
        return Set(text.split(separator: "\0").map(String.init))
    }
}

/// The first signal that arrives while nothing runs; it ends the watch.
private final class SignalArrival: Sendable {
    private let state = Mutex<(signal: StopSignal?, watch: FolderWatch?)>((nil, nil))

    var signal: StopSignal? { state.withLock { $0.signal } }

    func note(_ signal: StopSignal) {
        let watch = state.withLock { state in
            state.signal = state.signal ?? signal
            return state.watch
        }
        watch?.stop()
    }

    func stops(_ watch: FolderWatch) {
        let hasSignal = state.withLock { state in
            state.watch = watch
            return state.signal != nil
        }
        if hasSignal { watch.stop() }
    }
}
