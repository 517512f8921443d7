import MasterKit

/// The working tree of `run --source`, which git reads and does not change.
struct GitTree {
    /// The files of a working tree, as git stores them.
    struct Files {
        /// The hash of the tree with the uncommitted changes.
        let hash: String
        /// The hash of the commit, if there is one.
        let head: String?
        let submodules: [String]
    }

    /// Stores the files that git does not ignore, using an index of its own, with all objects that
    /// the commit does not have; prints the hash of the tree, that of the commit, and the submodules.
    ///
    /// Repositories in the working tree that have no commit are left out, as git can't add them; git
    /// lists such a folder with a slash at its end.
    private static let script = #"""
        objects=$(git rev-parse --git-path objects) && own=$(git rev-parse --git-path index) || exit
        case $objects in /*) ;; *) objects=$PWD/$objects ;; esac
        rm -f "$1/buildmaster-index" "$1/buildmaster-index.lock" || exit
        if [ -e "$own" ]; then cp -p "$own" "$1/buildmaster-index" || exit; fi
        git ls-files --others --exclude-standard -z > "$1/buildmaster-files" || exit
        printf '.\0' > "$1/buildmaster-paths" || exit
        tr '\n\0' '\0\n' < "$1/buildmaster-files" | grep '/$' | while IFS= read -r folder; do
            git -C "$folder" rev-parse --verify --quiet HEAD > /dev/null && continue
            echo "leaving out $folder, a repository without a commit" >&2
            printf ':(exclude,literal)%s\0' "${folder%/}" >> "$1/buildmaster-paths"
        done
        quoted=$(printf %s "$objects" | sed 's/[\\"]/\\&/g')
        export GIT_INDEX_FILE="$1/buildmaster-index" GIT_OBJECT_DIRECTORY="$1/objects"
        export GIT_ALTERNATE_OBJECT_DIRECTORIES="\"$quoted\""
        git add --all --pathspec-from-file="$1/buildmaster-paths" --pathspec-file-nul || exit
        tree=$(git write-tree) || exit
        head=$(git rev-parse --verify --quiet 'HEAD^{commit}')
        printf '%s\n' "$tree" ${head:+"^$head"} |
            git pack-objects --quiet --revs --non-empty "$1/objects/pack/pack" > /dev/null || exit
        git ls-files --stage -z > "$1/buildmaster-files" || exit
        echo "$tree $head"
        tr '\n\0' '\0\n' < "$1/buildmaster-files" | sed -n 's/^160000 [0-9a-f]* 0.//p'
        rm -f "$1/buildmaster-files" "$1/buildmaster-paths"
        """#

    private let context: StepContext
    private let log: any StepLog
    private let path: String
    private let variables: [String: String?]
    private let timeout: Duration?

    init(
        _ context: StepContext, _ log: any StepLog, at path: String,
        variables: [String: String?], timeout: Duration?
    ) {
        self.context = context
        self.log = log
        self.path = path
        self.variables = variables
        self.timeout = timeout
    }

    /// Stores the files in the object folder of a repository.
    func write(into repository: String) async throws -> Files {
        await context.setSummary("taking \(path)")
        try await log.line("taking the files of \(path)", to: .header)
        var shell = Command.Shell(["/bin/sh", "-c", Self.script, "sh", repository], in: path)
        shell.timeout = timeout
        shell.environment = GitEnvironment(
            folder: path, knownHosts: "", of: GitRepository(url: path)
        )
        .inTree(over: variables)
        var (output, errors): ([String], [String]) = ([], [])
        let result = try await context.run(shell, into: log) { line in
            if line.stream == .stdout {
                output.append(line.text)
            } else if errors.count < 100 {
                errors.append(line.text)
            }
        }
        if result.timedOut != nil { await context.noteTimeout() }
        guard result.isSuccess, let hashes = output.first?.split(separator: " ").map(String.init),
            let hash = hashes.first
        else { throw GitFailure("the files of \(path)", result, errors, hasAuth: false) }
        return Files(
            hash: hash, head: hashes.dropFirst().first, submodules: Array(output.dropFirst()))
    }
}
