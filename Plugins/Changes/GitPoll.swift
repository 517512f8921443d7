import FoundationEssentials
import MasterKit
import OrderedCollections

/// One look at a repository.
struct GitPoll {
    /// The most commits of one branch that become changes at once.
    static let commitLimit = 1000
    /// The most bytes of a list of refs.
    private static let outputLimit = 64 << 20
    /// The most refs that are fetched by name: git compares each name with each ref there is.
    private static let namedRefLimit = 500
    /// How long one command of git may take.
    private static let longestCommand = Duration.seconds(3600)

    private let poller: GitPoller
    private let context: ChangeSourceContext
    private let repository: GitRepository
    private let environment: [String: String?]

    init(poller: GitPoller, context: ChangeSourceContext) throws {
        self.poller = poller
        self.context = context
        repository = try poller.access.granted(
            to: context.render(poller.repourl).absolute(in: context.masterFolder), in: context)
        let own = GitEnvironment(
            folder: context.folder, knownHosts: context.folder + "/known_hosts", of: repository)
        var variables = own.over(Self.variables)
        // What a user has configured for git must not change what is found.
        variables.updateValue("1", forKey: "GIT_NO_REPLACE_OBJECTS")
        environment = variables
        try context.mask.checkReferences(in: environment)
    }

    /// Configuration over that of the user, so that commits are listed as expected.
    private static let variables: [String: String?] = {
        let entries = [
            ("log.showSignature", "false"), ("log.showRoot", "true"), ("log.mailmap", "false"),
            ("log.follow", "false"), ("core.quotePath", "false"),
            ("i18n.logOutputEncoding", "UTF-8"), ("diff.ignoreSubmodules", "none"),
            ("diff.relative", "false"), ("fetch.prune", "false"), ("fetch.pruneTags", "false"),
        ]
        var variables: [String: String?] = ["GIT_CONFIG_COUNT": "\(entries.count)"]
        for (index, entry) in entries.enumerated() {
            variables["GIT_CONFIG_KEY_\(index)"] = entry.0
            variables["GIT_CONFIG_VALUE_\(index)"] = entry.1
        }
        return variables
    }()

    // MARK: The look

    /// - Returns: Whether the repository has a ref that is looked at.
    func run() async throws -> Bool {
        do {
            return try await poll()
        } catch let failure as GitFailure where failure.isAboutTheFolder {
            // What a git that was killed has left, or a disk has damaged: the next look begins anew.
            _ = try await context.run(.rmdir(.init(".git")))
            throw failure
        }
    }

    private func poll() async throws -> Bool {
        try await prepare()
        let saved = try await context.state()
        let isKnown = saved?["repository"] == .string(repository.url)
        let old = isKnown ? Self.heads(saved?["heads"]) : [:]
        try await writeKnownHosts()
        let wanted = try await remoteHeads()
        let hasChanged = wanted.contains { old[$0.key] != $0.value }
        guard hasChanged || old.count != wanted.count || !isKnown else { return !wanted.isEmpty }
        try await fetch(wanted)
        var heads: OrderedDictionary<String, String> = [:]
        let fetched = try await localHeads()
        for ref in wanted.keys { heads[ref] = fetched[ref] ?? old[ref] }
        var changes: [Change] = []
        if isKnown {
            let known = Set(old.values)
            // Also one that was moved since they were listed.
            for ref in wanted.keys {
                guard let head = fetched[ref], head != old[ref] else { continue }
                changes += try await self.changes(of: ref, at: head, since: known)
            }
        }
        let state: JSONValue = [
            "repository": .string(repository.url),
            "heads": .object(JSONObject(heads.map { ($0.key, .string($0.value)) })),
        ]
        try await context.addChanges(changes, saving: state)
        return !wanted.isEmpty
    }

    private static func heads(_ saved: JSONValue?) -> OrderedDictionary<String, String> {
        var heads: OrderedDictionary<String, String> = [:]
        for (ref, hash) in saved?.objectValue ?? [:] { heads[ref] = hash.stringValue }
        return heads
    }

    private func prepare() async throws {
        _ = try await context.run(.mkdir(.init(context.folder)))
        // What a git that was killed has left.
        for name in try await names(in: ".git") where name.hasSuffix(".lock") {
            _ = try await context.run(.rmdir(.init(".git/\(name)")))
        }
        guard try await !names(in: ".git").contains("HEAD") else { return }
        try await git(["init", "--quiet"])
    }

    private func names(in folder: String) async throws -> [String] {
        let status = try await context.run(.stat(.init(folder)))
        guard status.value != .status(nil) else { return [] }
        guard case .names(let names) = try await context.run(.listdir(.init(folder))).value
        else { return [] }
        return names
    }

    // MARK: Refs

    /// The refs that are looked at, with their commits, as the repository has them now.
    private func remoteHeads() async throws -> OrderedDictionary<String, String> {
        var arguments = ["ls-remote", "--symref", "--end-of-options", repository.url]
        let isDefault = poller.branch == nil && poller.branches == nil && !poller.onlyTags
        if isDefault { arguments.append("HEAD") }
        let output = try await output(of: arguments)
        var heads: OrderedDictionary<String, String> = [:]
        var head: String?
        for line in output.split(separator: "\n") {
            let words = line.split(separator: "\t", maxSplits: 1)
            guard words.count == 2 else { continue }
            let ref = String(words[1])
            if words[0].hasPrefix("ref: ") {
                if ref == "HEAD" { head = String(words[0].dropFirst(5)) }
            } else if isDefault {
                if ref == "HEAD" { heads[head ?? "HEAD"] = String(words[0]) }
            } else if ref.hasSuffix("^{}") {
                // The commit of an annotated tag.
                let tag = String(ref.dropLast(3))
                if heads[tag] != nil { heads[tag] = String(words[0]) }
            } else if try isWanted(ref) {
                heads[ref] = String(words[0])
            }
        }
        return heads
    }

    private func isWanted(_ ref: String) throws -> Bool {
        if poller.onlyTags { return ref.hasPrefix("refs/tags/") }
        if let branch = poller.branch?.text {
            return ref == (branch.hasPrefix("refs/") ? branch : "refs/heads/\(branch)")
        }
        guard ref.hasPrefix("refs/heads/") else { return false }
        return try poller.branches?.fits(String(ref.dropFirst("refs/heads/".count))) == true
    }

    /// Where a ref is kept here: `refs/polled/heads/main`.
    private static func local(_ ref: String) -> String {
        "refs/polled/" + (ref.hasPrefix("refs/") ? String(ref.dropFirst(5)) : ref)
    }

    private func fetch(_ wanted: OrderedDictionary<String, String>) async throws {
        let local = try await localHeads()
        let gone = local.keys.filter { wanted[$0] == nil }
        if !gone.isEmpty {
            // A branch 'a' would be in the way of 'a/b'.
            let lines = gone.map { "delete \(Self.local($0))\n" }.joined()
            try await git(["update-ref", "--stdin"], input: lines)
        }
        // Also those that have not moved: in a folder that was lost or restored they are missing or
        // old, and without them old commits would be taken for new ones.
        let refs = wanted.keys.filter { local[$0] != wanted[$0] }
        guard !refs.isEmpty else { return }
        let all = poller.onlyTags ? "refs/tags/*" : "refs/heads/*"
        let wantedRefs = refs.count > Self.namedRefLimit ? [all] : refs
        let lines = wantedRefs.map { "+\($0):\(Self.local($0))\n" }.joined()
        try await git(
            [
                "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
                "--stdin", "--end-of-options", repository.url,
            ], input: lines)
    }

    /// The commits of the refs that are kept here, by the names that they have in the repository.
    private func localHeads() async throws -> [String: String] {
        let output = try await output(of: [
            "for-each-ref", "--format=%(objectname) %(*objectname) %(refname)", "refs/polled",
        ])
        var heads: [String: String] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count == 3 else { continue }
            let name = words[2].dropFirst("refs/polled/".count)
            heads[name == "HEAD" ? "HEAD" : "refs/\(name)"] =
                String(words[1].isEmpty ? words[0] : words[1])
        }
        return heads
    }

    // MARK: Commits

    /// The changes of a ref that has moved, oldest first.
    private func changes(
        of ref: String, at head: String, since known: Set<String>
    ) async throws -> [Change] {
        // Without any commit to compare with, the whole history would be new.
        let limit = known.isEmpty ? 1 : Self.commitLimit
        var commits: [GitCommit] = []
        if !known.contains(head) {
            let bounds = ([head] + known.map { "^\($0)" }).joined(separator: "\n")
            commits = try await self.commits(bounds, atMost: limit + 1)
        }
        if commits.count > limit {
            commits.removeLast()
            if limit > 1 {
                let words =
                    "\(ref) has more than \(limit) new commits; the oldest are left out"
                context.logger.warning("\(words)")
            }
        }
        if commits.isEmpty, poller.buildPushesWithNoCommits {
            commits = try await self.commits(head, atMost: 1)
        }
        let branch = ref.hasPrefix("refs/heads/") ? String(ref.dropFirst(11)) : ref
        return commits.reversed().map { commit in
            Change(
                author: commit.author, committer: commit.committer, comments: commit.message,
                files: commit.files,
                sourceStamp: SourceStamp(
                    branch: branch == "HEAD" ? nil : branch, revision: commit.hash,
                    repository: repository.url),
                when: poller.usetimestamps ? commit.date : context.now)
        }
    }

    /// Lists commits with their first parents only, newest first.
    private func commits(_ bounds: String, atMost count: Int) async throws -> [GitCommit] {
        // Names of files can contain anything but a NUL and this.
        let mark = "\u{1}" + String(UInt64.random(in: .min ... .max), radix: 36)
        var reader = GitCommitReader(mark: mark)
        try await git(
            [
                // Lines are read where '--stdin' stands.
                "log", "--ignore-missing", "--stdin", "--first-parent", "--max-count=\(count)",
                "--diff-merges=first-parent", "--no-renames", "--no-ext-diff", "--no-textconv",
                "--name-only", "-z", "--no-color", "--no-notes", "--no-mailmap",
                "--format=\(mark)%H%x00%ct%x00%an <%ae>%x00%cn <%ce>%x00%B",
            ], input: bounds + "\n"
        ) { reader.read($0) }
        return reader.end()
    }

    // MARK: Commands

    private func output(of arguments: [String]) async throws -> String {
        var output: [UInt8] = []
        try await git(arguments) { output += $0 }
        guard output.count < Self.outputLimit else {
            throw GitFailure("git \(arguments[0]): more than \(Self.outputLimit >> 20) MiB of refs")
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Runs git.
    ///
    /// - Throws: ``GitFailure`` if it fails, or takes too long.
    private func git(
        _ arguments: [String], input: String = "", _ read: ([UInt8]) -> Void = { _ in }
    ) async throws {
        var shell = Command.Shell(.program(["git"] + arguments), in: context.folder)
        shell.environment = environment
        shell.timeout = poller.timeout
        shell.maxTime = Self.longestCommand
        shell.stdin = Array(input.utf8)
        var (errors, byteCount): ([UInt8], Int) = ([], 0)
        let name = "git \(arguments[0])"
        let result: CommandResult
        do {
            result = try await context.run(.shell(shell)) { update in
                switch update.content {
                case .output(.stdout, let bytes):
                    byteCount += bytes.count
                    if byteCount < Self.outputLimit || arguments[0] == "log" { read(Array(bytes)) }
                case .output(.stderr, let bytes):
                    if errors.count < 16 << 10 { errors += bytes }
                default: break
                }
            }
        } catch let error as CommandError where error.isAboutTheCommand {
            throw GitFailure("git: \(error.commandWords)", remedy: "install git on the master")
        }
        if result.isSuccess { return }
        if let limit = result.timedOut {
            if case .silence = limit {
                throw GitFailure("\(name) was silent for \(poller.timeout) and was stopped")
            }
            throw GitFailure("\(name) took longer than an hour and was stopped")
        }
        // What ssh says ends as on Windows.
        let lines = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map(String.init)
        throw GitFailure(name, result, lines, hasAuth: !repository.configuration.isEmpty)
    }

    /// Writes the keys of SSH servers for the commands that follow.
    private func writeKnownHosts() async throws {
        guard let text = repository.knownHosts else { return }
        let file = Command.DownloadFile("known_hosts", permissions: 0o600, in: ".")
        _ = try await context.run(
            .downloadFile(file), input: .text(text.hasSuffix("\n") ? text : text + "\n"))
    }
}

/// A commit as git lists it.
struct GitCommit: Sendable, Hashable {
    var hash: String
    var date = Date(timeIntervalSince1970: 0)
    var author = ""
    var committer = ""
    var message = ""
    var files: [String] = []
}

/// Reads the output of `git log`, in pieces.
struct GitCommitReader {
    /// The most files of a commit that are kept: one more than are stored, which tells of the cut.
    private static let fileLimit = 10_001
    /// The most bytes of a text that are kept.
    private static let textLimit = 1 << 20

    private let mark: [UInt8]
    private var commits: [GitCommit] = []
    /// The number of texts since the mark.
    private var index = 0
    private var text: [UInt8] = []

    init(mark: String) { self.mark = Array(mark.utf8) }

    mutating func read(_ bytes: [UInt8]) {
        for part in bytes.split(separator: 0, omittingEmptySubsequences: false).enumerated() {
            if part.offset > 0 { endText() }
            if text.count < Self.textLimit { text += part.element }
        }
    }

    mutating func end() -> [GitCommit] {
        if !text.isEmpty { endText() }
        return commits
    }

    private mutating func endText() {
        defer { text = [] }
        if text.starts(with: mark) {
            commits.append(GitCommit(hash: string(text.dropFirst(mark.count))))
            index = 1
            return
        }
        guard let last = commits.indices.last else { return }
        switch index {
        case 1: commits[last].date = Date(timeIntervalSince1970: Double(string(text[...])) ?? 0)
        case 2: commits[last].author = string(text[...])
        case 3: commits[last].committer = string(text[...])
        case 4:
            var message = text[...]
            while message.last == UInt8(ascii: "\n") { message.removeLast() }
            commits[last].message = string(message)
        default:
            // The first name follows an empty line.
            let name = index == 5 && text.first == UInt8(ascii: "\n") ? text.dropFirst() : text[...]
            if !name.isEmpty, commits[last].files.count < Self.fileLimit {
                commits[last].files.append(string(name))
            }
        }
        index += 1
    }

    private func string(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}

extension GitFailure {
    /// Whether the repository in the folder can't be used any more.
    fileprivate var isAboutTheFolder: Bool {
        lines.contains { line in
            [
                "cannot lock ref", "Unable to create '", "not a git repository", "is corrupt",
                "unable to read",
            ].contains { line.contains($0) }
        }
    }
}
