import MasterKit

/// A checkout on the worker, in which git works by explicit paths: it never looks for a repository
/// in the folders above.
struct GitCheckout {
    let environment: [String: String?]
    /// The variables before those for this checkout.
    private let variables: [String: String?]
    private let context: StepContext
    private let log: any StepLog
    private let folder: String
    private let repository: GitRepository
    private let outside: Bool
    private let timeout: Duration?
    private let logsEnvironment: Bool

    init(
        _ context: StepContext, _ log: any StepLog, at folder: String, of repository: GitRepository,
        outside: Bool, environment: [String: String?], timeout: Duration?, logsEnvironment: Bool
    ) {
        self.context = context
        self.log = log
        self.folder = folder
        self.repository = repository
        self.outside = outside
        self.timeout = timeout
        self.logsEnvironment = logsEnvironment
        variables = environment
        let own = GitEnvironment(
            folder: folder, knownHosts: folder + Self.knownHosts, of: repository)
        self.environment = own.over(environment)
    }

    // MARK: The folder

    /// What is in the folder of a checkout.
    enum Content {
        /// A checkout of the repository.
        case checkout
        /// Another repository, or a broken one.
        case otherRepository
        /// Files, or nothing.
        case files
    }

    /// Makes the folder and looks what is in it.
    ///
    /// Outside the folder of builds it must be empty or a checkout of the repository already.
    @discardableResult func open() async throws -> Content {
        try await makeFolder()
        let kind = try await query(["/bin/sh", "-c", Self.kindScript])
        if kind == "folder", try await origin() == repository.url { return .checkout }
        let listing = outside ? try await context.run(.listdir(.init(folder))).value : .names([])
        guard listing == .names([]) else {
            throw GitFailure(
                "\(folder) holds files and is not a checkout of \(repository.url)",
                remedy: "they are kept because of 'outside: true': empty the folder, or choose "
                    + "another 'workdir'")
        }
        return kind == "" ? .files : .otherRepository
    }

    /// Makes the folder a checkout of the repository, if it is not; what an interrupted git left is
    /// removed.
    func prepare(anew: Bool) async throws {
        let content = try await open()
        if content == .checkout, !anew { return try await removeLocks() }
        if content == .otherRepository || anew { try await removeFolder() }
        try await git(["init", "--quiet"])
        try await git(["config", "remote.origin.url", repository.url])
        try await git(["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"])
    }

    /// A link or a file leads to the repository of somebody else.
    private static let kindScript =
        "if [ -L .git ]; then echo link; elif [ -d .git ]; then echo folder; "
        + "elif [ -e .git ]; then echo file; fi"

    private func origin() async throws -> String? {
        try await query(["git", "config", "--local", "--get", "remote.origin.url"])
    }

    private func makeFolder() async throws {
        _ = try await context.run(.mkdir(.init(folder, outside: outside)))
    }

    private func removeFolder() async throws {
        try await log.line("removing \(folder)", to: .header)
        _ = try await context.run(.rmdir(.init(folder, outside: outside)))
        try await makeFolder()
    }

    private func removeLocks() async throws {
        let listing = try await context.run(.listdir(.init("\(folder)/.git")))
        guard case .names(let names) = listing.value else { return }
        for name in names where name.hasSuffix(".lock") {
            try await log.line("removing .git/\(name), which an interrupted git left", to: .header)
            _ = try await context.run(.rmdir(.init("\(folder)/.git/\(name)", outside: outside)))
        }
    }

    // MARK: Commits

    /// Fetches the commit that is wanted, unless it is there.
    ///
    /// - Returns: Its hash.
    func fetch(_ wanted: GitWanted) async throws -> String {
        guard let revision = wanted.revision, !revision.isEmpty else {
            return try await fetchBranch(wanted)
        }
        let isHash = revision.count == 40 && revision.allSatisfy(\.isHexDigit)
        let mustDeepen = wanted.commitCount == nil ? try await isShallow() : false
        if isHash, !mustDeepen, let known = try await commit(revision) { return known }
        if isHash, wanted.commitCount != nil,
            let exact = try await fetchExactly(revision, wanted)
        {
            return exact
        }
        return try await find(revision, isHash: isHash, wanted)
    }

    private func find(
        _ revision: String, isHash: Bool, _ wanted: GitWanted
    ) async throws -> String {
        if isHash {
            do {
                _ = try await fetchBranch(wanted)
            } catch let failure as GitFailure where failure.isMissingRef {
                // The branch may be gone; the commit may still be there.
            }
            if let known = try await commit(revision) { return known }
            if let exact = try await fetchExactly(revision, wanted) { return exact }
        }
        try await fetch(
            ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"], depth: nil)
        var names: [String] = []
        if BranchName.isValid(revision) {
            names = ["refs/tags/\(revision)", "refs/remotes/origin/\(revision)"]
        }
        if revision.count >= 4, revision.allSatisfy(\.isHexDigit) { names.append(revision) }
        for name in names {
            if let known = try await commit(name) { return known }
        }
        throw GitFailure(
            "revision \(revision) is not in the repository",
            remedy: "it is that of the source stamp: use 'run --revision', or set "
                + "'alwaysUseLatest: true'")
    }

    private func fetchBranch(_ wanted: GitWanted) async throws -> String {
        guard let branch = wanted.branch else {
            do {
                return try await fetch("HEAD", as: "refs/remotes/origin/HEAD", wanted)
            } catch let failure as GitFailure where failure.isMissingRef {
                throw GitFailure(
                    "no HEAD in \(repository.url)",
                    remedy: "the repository is empty, or needs a 'branch'"
                ).keeping(failure)
            }
        }
        if branch.hasPrefix("refs/") {
            do {
                return try await fetch(branch, as: "refs/buildmaster/fetched", wanted)
            } catch let failure as GitFailure where failure.isMissingRef {
                throw GitFailure("no ref '\(branch)' in \(repository.url)").keeping(failure)
            }
        }
        do {
            return try await fetch(
                "refs/heads/\(branch)", as: "refs/remotes/origin/\(branch)", wanted)
        } catch let failure as GitFailure where failure.isMissingRef {
            return try await fetchTag(branch, wanted)
        }
    }

    private func fetchTag(_ tag: String, _ wanted: GitWanted) async throws -> String {
        do {
            return try await fetch("refs/tags/\(tag)", as: "refs/tags/\(tag)", wanted)
        } catch let failure as GitFailure where failure.isMissingRef {
            throw GitFailure("no branch '\(tag)' in \(repository.url)").keeping(failure)
        }
    }

    /// Fetches a commit by its hash; `nil` when the server does not have or give it.
    private func fetchExactly(_ hash: String, _ wanted: GitWanted) async throws -> String? {
        do {
            return try await fetch(hash, as: "refs/buildmaster/fetched", wanted)
        } catch let failure as GitFailure where failure.isUnknownCommit {
            return nil
        }
    }

    private func fetch(
        _ ref: String, as target: String, _ wanted: GitWanted
    ) async throws -> String {
        try await fetch(["+\(ref):\(target)"], depth: wanted.commitCount)
        guard let commit = try await commit(target) else {
            throw GitFailure("\(ref) of \(repository.url) is not a commit")
        }
        return commit
    }

    private func fetch(_ refs: [String], depth: Int?) async throws {
        var options = ["fetch", "--force", "--no-recurse-submodules"]
        if let depth {
            options.append("--depth=\(depth)")
        } else if try await isShallow() {
            options.append("--unshallow")
        }
        let command = options + ["origin"] + refs
        do {
            try await git(command)
        } catch let failure as GitFailure where failure.isRefConflict {
            try await git(["remote", "prune", "origin"])
            try await git(command)
        }
    }

    private func isShallow() async throws -> Bool {
        let status = try await context.run(.stat(.init("\(folder)/.git/shallow")))
        return status.value != .status(nil)
    }

    /// The hash of the commit that a name stands for.
    private func commit(_ name: String) async throws -> String? {
        try await query(
            ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", "\(name)^{commit}"])
    }

    // MARK: Files

    /// Makes the files those of a commit; files that are not in the repository stay.
    func check(out commit: String) async throws {
        try await git(["checkout", "--force", "--detach", commit, "--"])
    }

    func updateSubmodules(_ wanted: GitWanted) async throws {
        try await git(["submodule", "--quiet", "sync", "--recursive"])
        var command = ["submodule", "update", "--init", "--recursive", "--force"]
        if let count = wanted.commitCount { command.append("--depth=\(count)") }
        try await git(command)
    }

    /// Removes files that are not in the repository.
    func clean(_ method: GitMethod, _ wanted: GitWanted) async throws {
        // Twice, or repositories that a build made would stay.
        let options = method == .clean ? ["-ff", "-d"] : ["-ff", "-d", "-x"]
        do {
            try await git(["clean"] + options)
        } catch is GitFailure where method != .clean {
            try await removeUntracked()
            try await git(["clean"] + options)
        }
        if wanted.hasSubmodules {
            try await git(["submodule", "foreach", "--recursive", "git", "clean"] + options)
        }
    }

    /// Removes what is not in the repository as the worker does, whose trees may be deeper than the
    /// longest path that git can use.
    private func removeUntracked() async throws {
        let listing = try await query(["git", "ls-files", "--others", "--directory", "-z"]) ?? ""
        for entry in listing.split(separator: "\0") {
            let name = entry.hasSuffix("/") ? entry.dropLast() : entry
            try await log.line("removing \(name)", to: .header)
            _ = try await context.run(.rmdir(.init("\(folder)/\(name)", outside: outside)))
        }
    }

    // MARK: Working trees

    /// Makes the files those of a working tree, uncommitted changes included, which stays as it is;
    /// HEAD is its commit, and the index has the changes.
    func take(_ path: String, _ wanted: GitWanted) async throws -> GitSources {
        let tree = GitTree(context, log, at: path, variables: variables, timeout: timeout)
        let files = try await tree.write(into: folder + "/.git")
        if let head = files.head {
            var options = ["fetch", "--force", "--no-tags", "--no-recurse-submodules"]
            options.append(wanted.commitCount.map { "--depth=\($0)" } ?? "--update-shallow")
            try await git(options + [path, "+HEAD:refs/buildmaster/fetched"])
            try await git(["update-ref", "--no-deref", "HEAD", head])
        }
        try await git(["read-tree", "--reset", "-u", files.hash])
        for submodule in wanted.hasSubmodules ? files.submodules : [] {
            try await take(submodule: submodule, of: path, wanted)
        }
        let committed = try await query(["git", "rev-parse", "--verify", "--quiet", "HEAD^{tree}"])
        return GitSources(
            revision: files.head, isChanged: files.head == nil || committed != files.hash)
    }

    private func take(
        submodule name: String, of tree: String, _ wanted: GitWanted
    ) async throws {
        let path = "\(tree)/\(name)"
        guard try await context.run(.stat(.init("\(path)/.git"))).value != .status(nil) else {
            return try await log.line("the submodule \(name) is not checked out there", to: .header)
        }
        let submodule = GitCheckout(
            context, log, at: "\(folder)/\(name)", of: GitRepository(url: path), outside: outside,
            environment: variables, timeout: timeout, logsEnvironment: logsEnvironment)
        try await submodule.prepare(anew: false)
        _ = try await submodule.take(path, wanted)
    }

    // MARK: SSH

    private static let knownHosts = "/.git/buildmaster-known-hosts"

    /// Writes the keys of SSH servers for the commands that follow.
    func writeKnownHosts() async throws {
        guard let text = repository.knownHosts else { return }
        let file = Command.DownloadFile(
            folder + Self.knownHosts, permissions: 0o600, in: folder)
        _ = try await context.run(
            .downloadFile(file), input: .text(text.hasSuffix("\n") ? text : text + "\n"))
    }

    // MARK: Commands

    private func command(_ arguments: [String]) -> Command.Shell {
        var command = Command.Shell(.program(arguments), in: folder)
        command.environment = environment
        command.timeout = timeout
        return command
    }

    /// Runs git with its output in the log.
    private func git(_ arguments: [String]) async throws {
        let name = "git \(arguments[0])"
        await context.setSummary(name)
        var shell = command(["git"] + arguments)
        shell.logsEnvironment = logsEnvironment
        var lines: [String] = []
        let result: CommandResult
        do {
            result = try await context.run(shell, into: log) { line in
                guard line.stream == .stderr else { return }
                if lines.count >= 100 { lines.removeFirst() }
                lines.append(line.text)
            }
        } catch let error as CommandError where error.isAboutTheCommand {
            throw GitFailure("git: \(error.commandWords)")
        }
        if result.isSuccess { return }
        if result.timedOut != nil {
            await context.noteTimeout()
            throw GitFailure(name)
        }
        throw GitFailure(name, result, lines, hasAuth: !repository.configuration.isEmpty)
    }

    /// What a program prints, without the last line end; `nil` when it fails.
    private func query(_ arguments: [String]) async throws -> String? {
        var output: [UInt8] = []
        let result = try await context.run(.shell(command(arguments))) { update in
            guard case .output(.stdout, let bytes) = update.content, output.count < 64 << 10
            else { return }
            output += bytes
        }
        guard result.isSuccess else { return nil }
        if output.last == 0x0A { output.removeLast() }
        return String(decoding: output, as: UTF8.self)
    }
}
