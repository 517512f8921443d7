public import MasterKit
import OrderedCollections

/// Fetches the sources of the build from a git repository.
public struct Git: SourceStep, SettingHints {
    /// What the step does.
    public static let summary = "Fetches the sources of the build from a git repository."

    /// The options of a step without whose result the others make no sense.
    public static var options: StepOptions { .halting }

    @Setting("The repository: a URL, or the path of a folder.", .primary)
    var repourl: Renderable<RepositoryAddress>

    @Setting("The branch; by default that of the source stamp, or else HEAD of the repository.")
    var branch: Renderable<BranchName?>

    @Setting("Whether files of earlier builds stay.")
    var mode = Renderable(GitMode.incremental)

    @Setting("How a full build gets rid of the files of earlier ones; by default fresh.")
    var method: Renderable<GitMethod?>

    @Setting("Fetch the submodules, too.")
    var submodules = Renderable(false)

    @Setting("How many commits of the history are fetched; true for one.")
    var shallow: Renderable<GitDepth> = Renderable(GitDepth(commitCount: nil))

    @Setting("The codebase whose source stamp tells what to fetch.")
    var codebase = Renderable("")

    @Setting("Fetch the newest commit, whatever revision the source stamp has.")
    var alwaysUseLatest = Renderable(false)

    @Setting("Whether the checkout may be outside the folder of builds.")
    var outside = Renderable(false)

    @SettingGroup var access: GitAccess

    @Setting("Variables for git, over those of the builder and the worker.")
    var env: Renderable<CommandEnvironment?>

    @Setting("How long git may be silent; null for no limit.")
    var timeout: Renderable<TimeLimit?> = Renderable(TimeLimit(duration: .seconds(1200)))

    @Setting("Write the environment into the log.")
    var logEnviron = Renderable(false)

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        StepProducts(logs: ["stdio"], properties: ["got_revision", "uncommitted_changes"])
    }

    /// Finds a method without effect.
    public func check(_ settings: SettingsCheck) {
        guard settings.isGiven("method"), mode.constant == .incremental else { return }
        settings.error("'method' has no effect without 'mode: full'; add it", at: "method")
    }

    /// Brings the checkout to the revision of the build.
    public func run(in context: StepContext) async throws -> Results {
        let log = try await context.openLog("stdio")
        do {
            let wanted = try await wanted(in: context, log)
            let sources = try await fetch(wanted, in: context, log)
            try await setProperties(sources, in: context)
            await context.setSummary(words(sources, wanted, context.workingTree))
            return .success
        } catch let failure as GitFailure {
            await context.setSummary(failure.words)
            if let remedy = failure.remedy {
                try await log.line("\(failure.words); \(remedy)", to: .stderr)
            }
        } catch let error as CommandError {
            await context.setSummary(
                error.isAboutTheCommand ? "git: \(error.commandWords)" : error.reason)
            try await log.line(error.message, to: .stderr)
        }
        return .failure
    }

    /// The state text: the commit, its branch, and what there is besides.
    private func words(_ sources: GitSources, _ wanted: GitWanted, _ tree: WorkingTree?) -> String {
        var words = sources.revision.map { String($0.prefix(7)) } ?? "no commit"
        if let branch = wanted.branch { words += " of \(branch)" }
        if sources.isChanged == true { words += " with uncommitted changes" }
        if let tree, wanted.tree == nil { words += ", without \(tree.path)" }
        return words
    }

    /// The working tree, if it is one of the repository.
    private func tree(
        for address: RepositoryAddress, in context: StepContext, _ log: any StepLog
    ) async throws -> WorkingTree? {
        guard let tree = context.workingTree else { return nil }
        let path =
            address.text.hasPrefix("file://") ? String(address.text.dropFirst(7)) : address.text
        let isDefault = try tree.remotes.isEmpty && context.render(codebase).isEmpty
        if path == tree.path || isDefault
            || tree.remotes.contains(where: { address.isSame(as: RepositoryAddress(text: $0)) })
        {
            guard context.isWorkerLocal else {
                throw GitFailure(
                    "the working tree \(tree.path) is not on the machine of the worker",
                    remedy: "run without --source")
            }
            return tree
        }
        let remotes = tree.remotes.map(HTTPAddress.withoutUser).joined(separator: ", ")
        try await log.line(
            "\(tree.path) is a working tree of \(remotes.isEmpty ? "another repository" : remotes), "
                + "not of this repository, which is fetched", to: .header)
        return nil
    }

    /// What the source stamp and the settings ask for.
    private func wanted(in context: StepContext, _ log: any StepLog) async throws -> GitWanted {
        let codebase = try context.render(codebase)
        var stamp = context.sourceStamps.first { $0.codebase == codebase }
        if stamp == nil, !codebase.isEmpty {
            try await log.line(
                "the build has no source stamp of the codebase '\(codebase)'; fetching the newest "
                    + "commit", to: .header)
        }
        let address = try context.render(repourl).absolute(in: context.masterFolder)
        if let other = stamp?.repository, !other.isEmpty,
            !address.mayBe(RepositoryAddress(text: other), around: context.masterFolder)
        {
            // `run` in a checkout of something else: its branch and revision mean nothing here.
            stamp = nil
            try await log.line(
                "the build's source stamp is of another repository, \(other); fetching the newest "
                    + "commit instead", to: .header)
        }
        let own = try context.render(branch)?.text
        let tree = try await tree(for: address, in: context, log)
        var wanted = GitWanted(
            tree: tree, branch: tree == nil ? own ?? stamp?.branch : stamp?.branch,
            commitCount: try context.render(shallow).commitCount,
            hasSubmodules: try context.render(submodules))
        if tree != nil { return wanted }
        // A revision belongs to its branch.
        let isOtherBranch = own != nil && stamp?.branch != nil && own != stamp?.branch
        // With the ref of a merge, the revision is the commit that GitHub has merged there.
        let isMerge = wanted.branch?.wholeMatch(of: #/refs/pull/\d+/merge/#) != nil
        if try !context.render(alwaysUseLatest), !isOtherBranch, !isMerge {
            wanted.revision = stamp?.revision
        }
        if let branch = wanted.branch, !BranchName.isValid(branch) {
            throw GitFailure("'\(branch)' can't be the name of a branch")
        }
        return wanted
    }

    private func fetch(
        _ wanted: GitWanted, in context: StepContext, _ log: any StepLog
    ) async throws -> GitSources {
        let mode = try context.render(mode)
        let method = mode == .full ? try context.render(method) ?? .fresh : nil
        let outside = try context.render(outside)
        let access = try access.granted(
            to: context.render(repourl).absolute(in: context.masterFolder), in: context)
        var environment = context.environment
        for (name, value) in try context.render(env)?.variables ?? [:] {
            environment.updateValue(value, forKey: name)
        }
        let limit = try context.render(timeout)?.duration
        let logsEnvironment = try context.render(logEnviron)
        func checkout(at folder: String) -> GitCheckout {
            GitCheckout(
                context, log, at: folder, of: access, outside: outside, environment: environment,
                timeout: limit, logsEnvironment: logsEnvironment)
        }
        let target = checkout(at: context.workdir)
        try context.mask.checkReferences(in: target.environment)
        // Refused before anything is fetched.
        try await target.open()
        let source = context.workdir + "-source"
        let checkout = method == .copy ? checkout(at: source) : target
        try await checkout.prepare(anew: method == .clobber)
        let sources: GitSources
        if let tree = wanted.tree {
            sources = try await checkout.take(tree.path, wanted)
        } else {
            try await checkout.writeKnownHosts()
            let revision = try await checkout.fetch(wanted)
            try await checkout.check(out: revision)
            if wanted.hasSubmodules { try await checkout.updateSubmodules(wanted) }
            sources = GitSources(revision: revision)
        }
        if let method { try await checkout.clean(method, wanted) }
        guard method == .copy else { return sources }
        await context.setSummary("copying \(source)")
        try await log.line("copying \(source) to \(context.workdir)", to: .header)
        _ = try await context.run(
            .cpdir(.init(from: source, to: context.workdir, outside: outside)))
        return sources
    }

    /// Sets `got_revision`, of a step with a codebase to a mapping of codebases to revisions; of a
    /// working tree also `uncommitted_changes`.
    private func setProperties(_ sources: GitSources, in context: StepContext) async throws {
        if let isChanged = sources.isChanged {
            try await context.setProperty("uncommitted_changes", to: .bool(isChanged))
        }
        guard let revision = sources.revision else { return }
        let codebase = try context.render(codebase)
        guard !codebase.isEmpty else {
            return try await context.setProperty("got_revision", to: .string(revision))
        }
        var revisions = JSONObject()
        switch context.properties["got_revision"] {
        case .object(let earlier): revisions = earlier
        case .string(let earlier): revisions[""] = .string(earlier)
        default: break
        }
        revisions[codebase] = .string(revision)
        try await context.setProperty("got_revision", to: .object(revisions))
    }

    /// A hint for a setting that this step does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "url", "repo", "repository", "remote": "write 'repourl'"
        case "ref", "tag": "write 'branch', which takes a tag, too"
        case "revision", "commit": "the source stamp has it: use 'run --revision'"
        case "depth": "write 'shallow'"
        case "retryFetch": "write 'retry'"
        case "clobberOnFailure": "write 'mode: full' and 'method: clobber'"
        case "progress", "origin", "reference", "filters", "getDescription", "lfs", "tags":
            "this version does not have it; remove it"
        case "config": "write 'env' with GIT_CONFIG_COUNT, GIT_CONFIG_KEY_0 and GIT_CONFIG_VALUE_0"
        default: nil
        }
    }
}

/// Why git did not do what it should.
struct GitFailure: Error {
    /// What is wrong, for the state of the step.
    let words: String
    /// What to do about it.
    var remedy: String?
    /// The end of what git wrote to stderr.
    var lines: [String] = []

    init(_ words: String, remedy: String? = nil) {
        self.words = words
        self.remedy = remedy
    }

    /// Describes a command that failed by its own words.
    init(_ command: String, _ result: CommandResult, _ lines: [String], hasAuth: Bool) {
        self.lines = lines
        let ending = "\(command): \(result.shortWords)"
        if Self.isRefusal(lines) {
            words =
                hasAuth
                ? "\(ending): the server does not accept the credentials"
                : "\(ending): the server asks for credentials"
            remedy = hasAuth ? "correct 'auth'" : "give them in 'auth'"
            return
        }
        words = Self.reason(lines).map { "\(ending): \($0)" } ?? ending
        if hasAuth, lines.contains(where: { $0.contains("returned error: 30") }) {
            remedy = "redirects are not followed with 'auth': write the address they lead to"
        }
    }

    /// Whether the repository lacks the ref that was asked for.
    var isMissingRef: Bool { has("couldn't find remote ref") }

    /// Whether the server does not give a commit that no ref names.
    var isUnknownCommit: Bool {
        has("not our ref") || has("unadvertised object") || isMissingRef
    }

    /// Whether a branch `a` of earlier is in the way of a branch `a/b`.
    var isRefConflict: Bool { has("cannot lock ref") || has("refs conflict") }

    private func has(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

    private static func isRefusal(_ lines: [String]) -> Bool {
        lines.contains { line in
            ["could not read Username", "could not read Password", "Authentication failed"]
                .contains { line.contains($0) }
        }
    }

    /// The line that tells what went wrong, without its prefix.
    private static func reason(_ lines: [String]) -> String? {
        let told = lines.filter { $0.contains { !$0.isWhitespace } }
        guard
            let index = told.firstIndex(where: {
                $0.hasPrefix("fatal: ") || $0.hasPrefix("error: ")
            })
        else { return told.last.map { String($0.prefix(200)) } }
        let line = told[index].drop { $0 != " " }.dropFirst()
        // What ssh has to say stands before that.
        if line.hasPrefix("Could not read from remote"), index > 0 { return told[index - 1] }
        return String(line.prefix(200))
    }

    /// Keeps what git wrote.
    func keeping(_ cause: GitFailure) -> GitFailure {
        var failure = self
        failure.lines = cause.lines
        return failure
    }
}

/// What a checkout holds.
struct GitSources {
    /// The commit; `nil` for a working tree before its first one.
    var revision: String?
    /// Whether there are uncommitted changes, of a working tree.
    var isChanged: Bool?
}

/// Which commit a step wants.
struct GitWanted {
    /// The working tree whose files are wanted instead.
    var tree: WorkingTree?
    var branch: String?
    var revision: String?
    var commitCount: Int?
    var hasSubmodules: Bool
}

/// Whether files of earlier builds stay in a checkout.
enum GitMode: String, SettingEnumeration {
    case incremental
    case full
}

/// How a full build gets rid of the files of earlier ones.
enum GitMethod: String, SettingEnumeration {
    /// Removes the checkout.
    case clobber
    /// Removes files that are not in the repository.
    case fresh
    /// Removes the same, but for ignored files.
    case clean
    /// Copies a checkout in which nothing is built.
    case copy
}

/// The setting `shallow`.
struct GitDepth: SettingValue {
    /// How many commits are fetched; `nil` for all.
    let commitCount: Int?

    static var shape: String { "true, false or a number of commits from 1" }

    static var form: ValueForm { .either([.boolean, .integer]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> GitDepth? {
        switch node.resolved {
        case .bool(let isShallow): return GitDepth(commitCount: isShallow ? 1 : nil)
        case .int(let count) where count > 0: return GitDepth(commitCount: count)
        default: return decoder.mismatch(node, expected: shape)
        }
    }
}

/// The name of a branch or a tag, or a whole ref such as `refs/pull/1/head`.
struct BranchName: SettingValue {
    let text: String

    static var shape: String { "the name of a branch" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BranchName? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        guard isValid(text) else {
            return decoder.error(
                "'\(text.prefix(60))' can't be the name of a branch", at: node.range)
        }
        return BranchName(text: text)
    }

    /// Whether git allows the name; others could mean something else on its command line.
    static func isValid(_ text: String) -> Bool {
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && scalar.value != 0x7F
                && !"~^:?*[\\".unicodeScalars.contains(scalar)
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return isPlain && text != "@" && !text.contains("..") && !text.contains("@{")
            && !text.hasSuffix(".")
            && parts.allSatisfy { !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") }
    }
}
