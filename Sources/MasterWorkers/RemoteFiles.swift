internal import MasterKit
internal import MasterRuntime

/// File commands on a worker.
struct RemoteFiles {
    let worker: RemoteWorker
    let started: ContinuousClock.Instant

    /// The size of the blocks of transfers.
    private static let blockSize = 256 << 10
    /// Exit codes of commands that are system errors.
    private static let (noEntry, noDirectory): (Int, Int) = (2, 20)

    func run(
        _ command: Command, _ input: CommandInput,
        _ updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult.Value {
        switch command {
        case .shell: preconditionFailure("a program is not a file command")
        case .mkdir(let folder): try await make(folder)
        case .rmdir(let folder): try await remove(folder)
        case .cpdir(let folders): try await copy(folders)
        case .stat(let stat): return .status(try await status(of: stat))
        case .glob(let glob): return .names(try await paths(matching: glob))
        case .listdir(let folder): return .names(try await names(in: folder.path))
        case .uploadFile(let file): return .byteCount(try await upload(file, updates))
        case .downloadFile(let file): return .byteCount(try await download(file, input))
        }
        return .nothing
    }

    // MARK: Folders

    private func make(_ folder: Command.MakeDirectory) async throws {
        if let outside = folder.outside {
            _ = try await own(folder.path, to: "used", outside: outside)
        }
        let result = try await worker.perform(.mkdir(folder.path)) { _ in }
        try check(result, "the folder \(folder.path) cannot be created")
    }

    private func remove(_ folder: Command.RemoveDirectory) async throws {
        try await remove(own(folder.path, to: "removed", outside: folder.outside))
    }

    private func remove(_ path: OwnPath) async throws {
        let result = try await worker.perform(.rmdir(path)) { _ in }
        try checkProgram(result, "\(path.text) cannot be removed")
    }

    private func copy(_ folders: Command.CopyDirectory) async throws {
        let path = try await own(folders.destination, to: "overwritten", outside: folders.outside)
        let source = FilePaths.absolute(folders.source, in: worker.info.basedir)
        guard source != path.text, !path.text.hasPrefix(source + "/"),
            !source.hasPrefix(path.text + "/")
        else {
            throw CommandError(
                .invalid,
                "\(source) cannot be copied to \(path.text): one is within the other; choose "
                    + "another destination")
        }
        guard try await status(of: Command.Stat(source))?.kind == .directory else {
            throw CommandError(
                .notFound,
                "the folder \(source) cannot be copied: there is no folder; check the path")
        }
        try await checkCanCopy(source)
        // A stock worker copies into a folder that exists.
        let unfinished = try OwnPath(Self.unfinished(path.text), to: "overwritten", on: worker)
        do {
            let result = try await worker.perform(.cpdir(from: source, to: unfinished)) { _ in }
            try checkProgram(result, "the folder \(source) cannot be copied to \(path.text)")
            try await remove(path)
            try await place(unfinished.text, at: path.text)
        } catch {
            await discard(unfinished.text)
            throw error
        }
    }

    /// Checks that a folder has only folders, files and symbolic links, as on this machine.
    private func checkCanCopy(_ folder: String) async throws {
        let (_, output) = try await worker.script(
            """
            find "$1" ! -type d ! -type f ! -type l -print | head -n 1 | while IFS= read -r place; do
              if [ -p "$place" ]; then kind='named pipe'; elif [ -S "$place" ]; then kind=socket; fi
              echo "$place is a ${kind:-device}"
            done
            """, folder)
        guard output.isEmpty else {
            let words = output.prefix { !$0.isNewline }
            throw CommandError(
                .wrongKind,
                "\(words), and special files are not copied; remove it, or copy the folders beside it"
            )
        }
    }

    private static func unfinished(_ path: String) -> String {
        "\(path).\(String(UInt64.random(in: .min ... .max), radix: 36)).part"
    }

    /// Checks a path that is to be removed or overwritten, also after its symbolic links.
    private func own(_ path: String, to verb: String, outside: Bool) async throws -> OwnPath {
        guard !outside else {
            throw CommandError(
                .outsideRoot,
                "\(path.shortened) is not \(verb): 'outside' is only for this machine; on the "
                    + "worker \(worker.name), use a path below \(worker.info.basedir)")
        }
        let own = try OwnPath(path, to: verb, on: worker)
        try await checkLinks(of: path, below: worker.info.basedir, to: verb)
        return own
    }

    /// Checks that the folder of a path, as far as it exists, is a folder or below it.
    private func checkLinks(
        of path: String, below folder: String, to verb: String
    ) async throws {
        let absolute = FilePaths.absolute(path, in: worker.info.basedir)
        let (code, output) = try await worker.script(
            """
            base=$(cd -P -- "$2" && pwd -P) || exit 4
            place=$(dirname -- "$1")
            while [ ! -d "$place" ]; do
              if [ -L "$place" ]; then echo "$place"; exit 3; fi
              place=$(dirname -- "$place")
            done
            place=$(cd -P -- "$place" && pwd -P) || exit 4
            case "$place/" in "$base"/*) exit 0;; esac
            echo "$place/$(basename -- "$1")"
            exit 3
            """, absolute, folder)
        guard code != 0 else { return }
        let target = String(output.prefix { !$0.isNewline }.prefix(4096))
        throw CommandError(
            .outsideRoot,
            code == 3
                ? OwnPath.outside(path, of: folder, to: verb, target)
                : "\(path) is not \(verb) because the folders of the worker \(worker.name) cannot "
                    + "be read")
    }

    // MARK: Lookup

    private func status(of stat: Command.Stat) async throws -> CommandResult.FileStatus? {
        let result = try await worker.perform(.stat(stat.path)) { _ in }
        var isLink = false
        if stat.followsLinks == false {
            isLink = try await worker.script("[ -L \"$1\" ]", stat.path).code == 0
        }
        if let code = result.exitCode, [Self.noEntry, Self.noDirectory].contains(code), !isLink {
            return nil
        }
        if !isLink { try check(result, "\(stat.path) cannot be accessed") }
        if isLink { return .init(kind: .other, byteCount: 0, permissions: 0o777, modified: 0) }
        guard let status = result.status else {
            throw worker.inability(.system, "did not tell the status of \(stat.path)")
        }
        let kind: CommandResult.FileStatus.Kind =
            switch status[0] & 0o170000 {
            case 0o100000: .file
            case 0o040000: .directory
            default: .other
            }
        return CommandResult.FileStatus(
            kind: kind, byteCount: status[6],
            permissions: UInt32(truncatingIfNeeded: status[0] & 0o7777),
            modified: Double(status[8]))
    }

    private func paths(matching glob: Command.Glob) async throws -> [String] {
        let isAbsolute = glob.pattern.hasPrefix("/")
        var folder = isAbsolute ? "" : glob.folder
        if !folder.isEmpty, !folder.hasSuffix("/") { folder += "/" }
        let literal = folder.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
        let result = try await worker.perform(.glob(literal + glob.pattern)) { _ in }
        try check(result, "the pattern \(glob.pattern) cannot be looked up")
        guard let paths = result.names else {
            throw worker.inability(.system, "could not send the paths: a name is not UTF-8")
        }
        return paths.map { path in
            var path = String(path.dropFirst(path.hasPrefix(folder) ? folder.count : 0))
            if path.count > 1, path.hasSuffix("/"), !glob.pattern.hasSuffix("/") {
                path.removeLast()
            }
            return path
        }.sorted()
    }

    /// Whether a text can be the name of a file or folder.
    private static func isName(_ text: Substring) -> Bool {
        !["", ".", ".."].contains(text) && text.utf8.count <= 255
            && !text.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
    }

    private func names(in folder: String) async throws -> [String] {
        let result = try await worker.perform(.listdir(folder)) { _ in }
        if result.exitCode == nil {
            throw worker.inability(
                .system, "could not send the names in \(folder): one is not UTF-8")
        }
        try check(result, "the folder \(folder) cannot be listed")
        let names = result.names ?? []
        // Names become parts of paths, also on the master.
        for name in names where !Self.isName(name[...]) {
            throw WorkerConnection.fault(
                "it listed '\(name.shortened)', which is not the name of a file")
        }
        return names.sorted()
    }

    // MARK: Transfers

    private func upload(
        _ file: Command.UploadFile, _ updates: (CommandUpdate) async throws -> Void
    ) async throws -> Int {
        let limit = file.maxByteCount
        let status = try await status(of: Command.Stat(file.path))
        guard let status else {
            throw CommandError(
                "the file \(file.path) cannot be read", SystemFault(CInt(Self.noEntry)))
        }
        guard status.kind == .file else {
            throw CommandError(
                .wrongKind, "\(file.path) cannot be uploaded: it is not a file; name a file")
        }
        if let limit, status.byteCount > limit { throw tooLarge(file.path, limit) }
        var count = 0
        let result = try await worker.perform(
            .upload(
                file.path, blockSize: min(file.blockByteCount, 1 << 20),
                maximum: limit.map { $0 == .max ? $0 : $0 + 1 })
        ) { message in
            switch message {
            case .write(let bytes, let number):
                count += bytes.count
                if let limit, count > limit { throw tooLarge(file.path, limit) }
                if !bytes.isEmpty {
                    try await updates(
                        CommandUpdate(.content(bytes), elapsed: .now - started))
                }
                worker.connection.answer(number)
            case .closed(let number): worker.connection.answer(number)
            case .read: throw WorkerConnection.fault("it asked for a file that it should send")
            case .update, .complete: break
            }
        }
        try checkProgram(result, "the file \(file.path) cannot be read")
        return count
    }

    private func tooLarge(_ path: String, _ limit: Int) -> CommandError {
        CommandError(
            .tooLarge,
            "the file \(path) has more than the \(limit) bytes that are allowed; raise the limit, "
                + "or make it smaller")
    }

    private func download(_ file: Command.DownloadFile, _ input: CommandInput) async throws -> Int {
        let path = FilePaths.absolute(file.path, in: worker.info.basedir)
        if let folder = file.folder {
            try await make(Command.MakeDirectory(folder))
            try await checkLinks(of: file.path, below: folder, to: "written")
        }
        if try await status(of: Command.Stat(path, followsLinks: false))?.kind == .directory {
            throw CommandError(
                .wrongKind,
                "the file \(path) cannot be written: a folder is there; choose another path")
        }
        let temporary = Self.unfinished(path)
        do {
            let count = try await write(input, to: temporary, for: file, path)
            try await place(temporary, at: path, modified: file.modified)
            return count
        } catch {
            await discard(temporary)
            throw error
        }
    }

    private func write(
        _ input: CommandInput, to temporary: String, for file: Command.DownloadFile, _ path: String
    ) async throws -> Int {
        var count = 0
        let result = try await worker.perform(
            .download(to: temporary, blockSize: Self.blockSize, permissions: file.permissions)
        ) { message in
            switch message {
            case .read(let length, let number):
                let bytes = try await input.next(min(length, Self.blockSize))
                count += bytes.count
                if let limit = file.maxByteCount, count > limit {
                    throw CommandError(
                        .tooLarge,
                        "the file for \(path) has more than the \(limit) bytes that are allowed; "
                            + "raise the limit, or send less")
                }
                worker.connection.answer(number, with: .bytes(bytes))
            case .closed(let number): worker.connection.answer(number)
            case .write: throw WorkerConnection.fault("it sent a file that it should take")
            case .update, .complete: break
            }
        }
        try checkProgram(result, "the file \(path) cannot be written")
        return count
    }

    /// Replaces a file, or a symbolic link, by one that is complete.
    private func place(
        _ temporary: String, at path: String, modified: Double? = nil
    ) async throws {
        let (code, _) = try await worker.script(
            """
            if [ -n "$3" ]; then touch -d "@$3" -- "$1" || exit 1; fi
            mv -fT -- "$1" "$2"
            """, temporary, path, modified.map { "\($0)" } ?? "")
        guard code == 0 else {
            throw worker.inability(.system, "could not rename \(temporary) to \(path)")
        }
    }

    /// Removes an unfinished file; the earlier error is the one to report.
    private func discard(_ temporary: String) async {
        // Also in a task that was cancelled; ends with the command.
        await Task { [worker] in
            do {
                _ = try await worker.script("rm -rf -- \"$1\"", temporary)
            } catch {
                // The connection has ended.
            }
        }.value
    }

    // MARK: Failures

    /// Checks a command whose exit code is that of the system, in the words of this machine.
    private func check(_ result: WireResult, _ task: String) throws {
        guard result.exitCode != 0 else { return }
        guard let code = result.exitCode.flatMap(CInt.init(exactly:)) else {
            throw worker.inability(.system, "ended a command without an exit code: \(task)")
        }
        throw CommandError(task, SystemFault(code))
    }

    /// Checks a command that a program carries out, or that does not tell what is wrong.
    private func checkProgram(_ result: WireResult, _ task: String) throws {
        guard result.exitCode != 0 else { return }
        guard result.exitCode != nil else {
            throw worker.inability(.system, "ended a command without an exit code: \(task)")
        }
        let said = result.header.split(separator: "\n").last.map { ": \(String($0).shortened)" }
        throw CommandError(.system, "\(task) on the worker \(worker.name)\(said ?? "")")
    }
}
