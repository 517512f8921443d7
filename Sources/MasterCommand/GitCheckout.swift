internal import FoundationEssentials
internal import MasterKit
internal import Subprocess
internal import SystemPackage

/// The git checkout that contains a folder.
struct GitCheckout: Sendable, Hashable {
    /// The branch, or `nil` for a detached HEAD.
    var branch: String?
    /// The revision, or `nil` before the first commit.
    var revision: String?
    /// The URL of the remote `origin`, without user and password.
    var repository: String?

    /// Gets information from git about the checkout that contains a folder.
    ///
    /// - Parameters:
    ///   - folder: The folder, usually that of the configuration.
    ///   - environment: The environment for git; variables that select another repository are
    ///     removed.
    /// - Returns: The checkout, or `nil` if the folder is not in one.
    /// - Throws: ``GitError`` if git cannot read the checkout.
    static func find(
        around folder: String, environment: [String: String]
    ) async throws(GitError) -> GitCheckout? {
        let folder = URL(filePath: folder).resolvingSymlinksInPath().path
        guard mayBeInRepository(folder) else { return nil }
        let git = Git(folder: folder, environment: environment)
        async let head = git.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        async let origin = git.run("config", "--get", "remote.origin.url")
        let (headAnswer, originAnswer) = await (head, origin)
        var checkout = GitCheckout()
        switch try headAnswer.get() {
        case .output(let text):
            let lines = text.split(separator: "\n").map(String.init)
            checkout.revision = lines.first
            checkout.branch = lines.last.flatMap { branch(of: $0) }
        case .failure(let reason) where reason.contains("'HEAD'"):
            // No commit yet, but there is a branch for the first one.
            if case .output(let text) = try await git.run("symbolic-ref", "HEAD").get() {
                checkout.branch = branch(of: text)
            }
        case .failure(let reason):
            throw GitError.refused(reason)
        }
        // Fails without a remote; other failures were reported above.
        if case .output(let text) = try originAnswer.get(), !text.isEmpty {
            checkout.repository = HTTPAddress.withoutUser(text)
        }
        return checkout
    }

    /// The working tree that contains a folder, for `run --source`.
    ///
    /// - Throws: ``UsageError`` if the folder is not in one, or git cannot be run.
    static func workingTree(
        around folder: String, environment: [String: String]
    ) async throws -> WorkingTree {
        let path = URL(filePath: folder).resolvingSymlinksInPath().path
        guard FileManager.default.fileExists(atPath: path) else {
            throw UsageError("--source \(folder): there is no such folder")
        }
        let git = Git(folder: path, environment: environment)
        let top: String
        switch await git.run("rev-parse", "--show-toplevel") {
        case .success(.output(let text)): top = text
        case .success(.failure(let reason)):
            throw UsageError(
                "--source \(folder): not a git working tree; git says "
                    + "'\(reason.split(separator: "\n").first ?? "nothing")'")
        case .failure(let error): throw UsageError("--source \(folder): \(error.reason)")
        }
        var remotes: [String] = []
        // Fails without a remote.
        if case .success(.output(let text)) = await git.run(
            "config", "--get-regexp", "^remote\\..*\\.url$")
        {
            remotes = text.split(separator: "\n").compactMap {
                $0.split(separator: " ", maxSplits: 1).last.map {
                    HTTPAddress.withoutUser(String($0))
                }
            }
        }
        return WorkingTree(path: top, remotes: remotes)
    }

    private static func branch(of reference: String) -> String? {
        let heads = "refs/heads/"
        return reference.hasPrefix(heads) ? String(reference.dropFirst(heads.count)) : nil
    }

    /// Whether a folder or one of its parents looks like a checkout or a bare repository; otherwise
    /// git is not started.
    private static func mayBeInRepository(_ folder: String) -> Bool {
        func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
        var folder = folder
        while true {
            if exists(folder + "/.git") || exists(folder + "/HEAD") && exists(folder + "/objects") {
                return true
            }
            guard let slash = folder.lastIndex(of: "/") else { return false }
            folder = String(folder[..<slash])
        }
    }
}

/// Why git cannot read a checkout, and how to fix it.
struct GitError: Error, CustomStringConvertible {
    let description: String
    /// What is wrong, without what follows from it.
    let reason: String

    private init(_ reason: String, remedy: String) {
        self.reason = "\(reason); \(remedy)"
        description =
            "the branch and revision of this checkout are unknown: \(reason); \(remedy), or pass "
            + "--branch and --revision"
    }

    fileprivate static let missing = GitError("git is not in PATH", remedy: "install it")

    fileprivate static func failed(_ error: any Error) -> GitError {
        GitError("git cannot be run: \(error)", remedy: "check its installation")
    }

    /// An error from git; if the repository belongs to another user, includes the command to trust
    /// it.
    fileprivate static func refused(_ reason: String) -> GitError {
        let lines = reason.split(separator: "\n").map { $0.drop(while: \.isWhitespace) }
        let fatal = lines.first { $0.hasPrefix("fatal: ") }?.dropFirst("fatal: ".count)
        let command = lines.first { $0.hasPrefix("git config ") }
        let remedy = command.map { "if you trust it, run '\($0)'" } ?? "check 'git status'"
        return GitError("git says '\(fatal ?? lines.first ?? "nothing")'", remedy: remedy)
    }
}

/// Runs git in a folder.
struct Git: Sendable {
    enum Answer: Sendable {
        case output(String)
        case failure(String)
    }

    /// The variables that select another repository, as set in git hooks.
    private static let located: Set<String> = [
        "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE",
        "GIT_NAMESPACE", "GIT_PREFIX",
    ]

    /// The maximum size of an output, such as the names of all files.
    private static let outputLimit = 64 << 20

    let folder: String
    let environment: [String: String]

    /// Runs git and returns its output without the final line break.
    func run(_ arguments: String...) async -> Result<Answer, GitError> {
        await run(arguments)
    }

    /// Runs git with an input and returns its output without the final line break.
    func run(_ arguments: [String], input: String = "") async -> Result<Answer, GitError> {
        var variables = environment.filter { !Self.located.contains($0.key) }
        variables["LC_ALL"] = "C"
        variables["GIT_OPTIONAL_LOCKS"] = "0"
        let pairs = variables.compactMap { name, value in
            Environment.Key(rawValue: name).map { ($0, value) }
        }
        do {
            let ended = try await Subprocess.run(
                .name("git"), arguments: Arguments(arguments),
                environment: .custom(Dictionary(uniqueKeysWithValues: pairs)),
                workingDirectory: FilePath(folder), input: .string(input),
                output: .string(limit: Self.outputLimit), error: .string(limit: 1 << 16))
            guard ended.terminationStatus.isSuccess else {
                return .success(.failure(ended.standardError))
            }
            let output = ended.standardOutput
            return .success(.output(output.hasSuffix("\n") ? String(output.dropLast()) : output))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return .failure(.missing)
        } catch {
            return .failure(.failed(error))
        }
    }
}
