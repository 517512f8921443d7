import FoundationEssentials
public import MasterKit
import OrderedCollections

/// Looks for new commits in a git repository at intervals.
public struct GitPoller: ChangeSource, SettingHints {
    /// What the source does.
    public static let summary = "Looks for new commits in a git repository at intervals."

    @Setting("The repository: a URL, or the path of a folder.", .primary)
    var repourl: Renderable<RepositoryAddress>

    @Setting("The branch; by default the repository's default branch.") var branch: BranchName?

    @Setting("The branches: names, globs such as 'release/*', or true for all of them.")
    var branches: BranchPatterns?

    @Setting("Look at tags, and not at branches.", .named("only_tags")) var onlyTags = false

    @Setting(
        "The time between two looks.", .alias("pollinterval"),
        .within(.seconds(1)...(.seconds(31_536_000))))
    var pollInterval = Duration.seconds(600)

    @Setting("Look at the start of the master, in place of after an interval.")
    var pollAtLaunch = false

    @Setting("The least time to wait in addition to an interval.") var pollRandomDelayMin = Duration
        .zero

    @Setting("The most time to wait in addition to an interval, a random one up to this.")
    var pollRandomDelayMax = Duration.zero

    @Setting("Also report branches that are moved to, or created at, a commit that is known.")
    var buildPushesWithNoCommits = false

    @Setting("Changes have the time of their commit, in place of that at which it was found.")
    var usetimestamps = true

    @SettingGroup var access: GitAccess

    @Setting("How long git may be silent.", .within(.seconds(1)...(.seconds(86_400))))
    var timeout = Duration.seconds(1200)

    /// Creates an unconfigured source.
    public init() {}

    /// The address of the repository, without a user, unless it has a secret in it.
    public var standardName: String? {
        repourl.constant.map { HTTPAddress.withoutUser($0.text) }
    }

    /// Finds settings that contradict each other.
    public func check(_ settings: SettingsCheck) {
        let given = ["branch", "branches"].filter { settings.isGiven($0) }
        if given.count > 1 {
            settings.error("'branch' and 'branches' are both given; keep one", at: "branch")
        }
        if onlyTags, let name = given.first {
            settings.error("'only_tags' looks at no branch; remove '\(name)'", at: name)
        }
        if pollRandomDelayMax > .zero, pollRandomDelayMax >= pollInterval {
            settings.error(
                "'pollRandomDelayMax' must be less than 'pollInterval'", at: "pollRandomDelayMax")
        }
        if pollRandomDelayMin > pollRandomDelayMax {
            settings.error(
                "'pollRandomDelayMin' must not be more than 'pollRandomDelayMax'",
                at: "pollRandomDelayMin")
        }
    }

    /// Looks for commits until the master shuts down.
    ///
    /// The first look ever is at once: it notes what is there, so that nothing pushed later is
    /// missed.
    public func run(in context: ChangeSourceContext) async throws {
        let hasLooked = try await context.state() != nil
        var isWaiting = hasLooked && !pollAtLaunch
        while true {
            if isWaiting { try await context.sleep(for: pollInterval + randomDelay) }
            isWaiting = true
            do {
                let hasFound = try await GitPoll(poller: self, context: context).run()
                context.problem = hasFound ? nil : absence
            } catch let error as GitFailure {
                context.problem = problem(
                    "\(error.words)\(error.remedy.map { "; \($0)" } ?? "")")
            } catch let error as CommandError {
                context.problem = problem(error.message)
            } catch let error as RenderError {
                context.problem = problem("\(error)")
            }
        }
    }

    /// What the repository lacks if it has nothing to look at; `nil` if that may be so for long.
    private var absence: String? {
        if let branch { return "the repository has no branch '\(branch.text)'" }
        guard branches == nil, !onlyTags else { return nil }
        return "the repository has no default branch: it is empty, or its HEAD names a branch that "
            + "does not exist; in that case write 'branch'"
    }

    private func problem(_ reason: String) -> String {
        "can't be polled, and is tried again at each interval: \(reason)"
    }

    private var randomDelay: Duration {
        guard pollRandomDelayMax > .zero else { return .zero }
        return .seconds(
            Double.random(
                in: pollRandomDelayMin / .seconds(1)...pollRandomDelayMax / .seconds(1)))
    }

    /// A hint for a setting that this source does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "url", "repo", "repository": "write 'repourl'"
        case "auth_credentials", "git_credentials": "write 'auth'"
        case "workdir": "the source has a folder of its own in the base folder; remove it"
        case "gitbin", "encoding", "fetch_refspec":
            "this version does not have it; remove it"
        case "pollAtStart": "write 'pollAtLaunch'"
        case "only_tag", "tags": "write 'only_tags'"
        default: nil
        }
    }
}

/// The setting `branches`.
struct BranchPatterns: SettingValue {
    /// Fitting one of them is enough; `nil` for all branches.
    private let patterns: [Pattern]?

    static var shape: String { "a list of names and globs such as [main, 'release/*'], or true" }

    static var form: ValueForm { .either([.list(of: .text), .boolean]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BranchPatterns? {
        if case .bool(true) = node.resolved { return BranchPatterns(patterns: nil) }
        guard node.sequence != nil else { return decoder.mismatch(node, expected: shape) }
        guard let names = decoder.decode([String].self, from: node) else { return nil }
        guard !names.isEmpty else { return decoder.mismatch(node, expected: shape) }
        var patterns: [Pattern] = []
        for name in names {
            guard BranchName.isValid(name.filter { !"*?".contains($0) } + "x") else {
                return decoder.error(
                    "'\(name.prefix(60))' can't be the name of a branch", at: node.range)
            }
            do {
                patterns.append(try Pattern(expression(for: name)))
            } catch {
                return decoder.error(
                    "'\(name.prefix(60))' is not a pattern for branches: \(error)", at: node.range)
            }
        }
        return BranchPatterns(patterns: patterns)
    }

    /// A glob, in which `*` and `?` stand for any characters, as a regular expression.
    private static func expression(for glob: String) -> String {
        let parts = glob.map { character in
            switch character {
            case "*": ".*"
            case "?": "."
            default: character.literalExpression
            }
        }
        return "(?s)\\A\(parts.joined())\\z"
    }

    /// Whether a branch fits.
    ///
    /// - Throws: An error if a pattern needs too many steps.
    func fits(_ branch: String) throws -> Bool {
        try patterns?.contains { try $0.isFound(in: branch) } ?? true
    }
}
