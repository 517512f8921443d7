import FoundationEssentials
import MasterKit

/// The settings that let git into a repository.
struct GitAccess: Settings {
    @Setting("Credentials for the server of an http or https URL.", .secret)
    var auth: Renderable<GitAuth?>

    @Setting("The private key for a repository over SSH.", .secret, .notEmpty)
    var sshPrivateKey: Renderable<String?>

    @Setting("The key of the SSH server, such as 'ssh-ed25519 AAAA…'.", .notEmpty)
    var sshHostKey: Renderable<String?>

    @Setting("The keys of SSH servers, as a known_hosts file has them.", .notEmpty)
    var sshKnownHosts: Renderable<String?>

    /// Finds two settings for the same.
    func check(_ settings: SettingsCheck) {
        guard settings.isGiven("sshHostKey"), settings.isGiven("sshKnownHosts") else { return }
        settings.error(
            "'sshHostKey' and 'sshKnownHosts' are both given; keep one", at: "sshHostKey")
    }

    /// The repository with what is needed to read it.
    func granted(
        to address: RepositoryAddress, in context: some SettingContext
    ) throws -> GitRepository {
        var (url, header) = (address.text, try context.render(auth)?.header)
        if let user = address.user,
            user.contains(":") || context.mask.nameOfSecret(in: user) != nil
        {
            guard header == nil else {
                throw GitFailure("'repourl' has a password in it although 'auth' is given")
            }
            header = GitAuth.basic(user.percentDecoded)
            url = HTTPAddress.withoutUser(address.text)
        }
        if let secret = context.mask.nameOfSecret(in: url) {
            throw GitFailure(
                "'repourl' has the secret '\(secret)' in it",
                remedy: "git would store it in the checkout: give it in 'auth'")
        }
        var repository = GitRepository(url: url)
        if let header {
            guard let server = RepositoryAddress(text: url).server else {
                throw GitFailure("'auth' is for http and https URLs", remedy: "remove it")
            }
            repository.configuration = [
                ("http.\(server)/.extraHeader", "Authorization: \(header)"),
                ("http.\(server)/.followRedirects", "false"),
            ]
        }
        repository.key = try context.render(sshPrivateKey)
        repository.knownHosts = try context.render(sshKnownHosts)
        if let key = try context.render(sshHostKey) {
            guard let host = RepositoryAddress(text: url).sshHost else {
                throw GitFailure("'sshHostKey' is for repositories over SSH", remedy: "remove it")
            }
            repository.knownHosts = "\(host) \(key)"
        }
        return repository
    }
}

/// What computes the values of settings: a step, or a change source.
protocol SettingContext {
    var mask: SecretMask { get }
    func render<Value: SettingValue>(_ setting: Renderable<Value>) throws(RenderError) -> Value
}

extension StepContext: SettingContext {}
extension ChangeSourceContext: SettingContext {}

/// A repository, and what git needs to read it.
struct GitRepository {
    /// The URL without a password.
    let url: String
    /// Configuration with credentials, which git gets in its environment.
    var configuration: [(name: String, value: String)] = []
    /// A private key for SSH.
    var key: String?
    /// The keys of SSH servers.
    var knownHosts: String?
}

/// The variables with which git works in one folder alone, and asks nobody.
struct GitEnvironment {
    let folder: String
    /// The path of the file with the keys of SSH servers.
    let knownHosts: String
    let repository: GitRepository

    init(folder: String, knownHosts: String, of repository: GitRepository) {
        self.folder = folder
        self.knownHosts = knownHosts
        self.repository = repository
    }

    /// Variables that lead to other repositories; a git hook that starts the master has them.
    private static let unset = [
        "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS",
        "GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
        "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    ]

    /// Configuration over that of the user: no hooks, nothing that outlives the command.
    private static let configuration = [
        (name: "core.hooksPath", value: "/dev/null"), (name: "core.fsmonitor", value: "false"),
        (name: "gc.autoDetach", value: "false"), (name: "maintenance.autoDetach", value: "false"),
        (name: "submodule.recurse", value: "false"), (name: "advice.detachedHead", value: "false"),
        (name: "protocol.ext.allow", value: "never"), (name: "core.splitIndex", value: "false"),
        (name: "advice.addEmbeddedRepo", value: "false"),
    ]

    func over(_ variables: [String: String?]) -> [String: String?] {
        var all = variables
        for name in Self.unset { all.updateValue(nil, forKey: name) }
        let above = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? ""
        let own = [
            "GIT_DIR": "\(folder)/.git", "GIT_WORK_TREE": folder, "GIT_TEMPLATE_DIR": "",
            "GIT_CEILING_DIRECTORIES": above, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
            "SSH_ASKPASS_REQUIRE": "never",
        ]
        all.merge(own) { _, own in own }
        if !all.keys.contains("GIT_ASKPASS") { all.updateValue("", forKey: "GIT_ASKPASS") }
        if let ssh {
            all.updateValue(ssh, forKey: "GIT_SSH_COMMAND")
            all.updateValue("ssh", forKey: "GIT_SSH_VARIANT")
        }
        if let key = repository.key { all.updateValue(key, forKey: Self.keyVariable) }
        let first = (variables["GIT_CONFIG_COUNT"] ?? nil).flatMap { Int($0) } ?? 0
        let entries = Self.configuration + repository.configuration
        for (index, entry) in entries.enumerated() {
            all.updateValue(entry.name, forKey: "GIT_CONFIG_KEY_\(first + index)")
            all.updateValue(entry.value, forKey: "GIT_CONFIG_VALUE_\(first + index)")
        }
        all.updateValue("\(first + entries.count)", forKey: "GIT_CONFIG_COUNT")
        return all
    }

    /// The variables for git in a working tree of the user, which finds its repository by itself and
    /// changes nothing in it.
    func inTree(over variables: [String: String?]) -> [String: String?] {
        var all = over(variables)
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_CEILING_DIRECTORIES"] {
            all.updateValue(nil, forKey: name)
        }
        all.updateValue("0", forKey: "GIT_OPTIONAL_LOCKS")
        return all
    }

    /// The line with which git runs ssh.
    private var ssh: String? {
        guard repository.key != nil || repository.knownHosts != nil else { return nil }
        var arguments = ["ssh", "-o", "BatchMode=yes"]
        if repository.key != nil {
            arguments = ["ssh-agent", "/bin/sh", "-c", Self.withKey] + arguments
            arguments += [
                "-o", "IdentityAgent=SSH_AUTH_SOCK", "-o", "IdentitiesOnly=no", "-o",
                "IdentityFile=none",
            ]
        }
        if repository.knownHosts != nil {
            // In paths, ssh replaces names after '%'.
            let path = knownHosts.replacing("%", with: "%%")
            arguments += [
                "-o", "StrictHostKeyChecking=yes", "-o", "UserKnownHostsFile=\"\(path)\"",
            ]
        }
        return Command.Invocation.program(arguments).description
    }

    private static let keyVariable = "BUILDMASTER_SSH_KEY"

    /// Gives the key to the agent that has started the shell, runs ssh, and ends the agent, which
    /// ends by itself within ten seconds if the shell is killed.
    ///
    /// So the key is in no file, also if the worker is lost. A shell prints without a program.
    private static let withKey = """
        trap "kill $SSH_AGENT_PID" EXIT
        trap "exit 1" HUP INT TERM
        if ! echo "$\(keyVariable)" | SSH_ASKPASS=false SSH_ASKPASS_REQUIRE=force ssh-add -q -; then
          echo "ssh-add does not accept 'sshPrivateKey'" >&2
          exit 1
        fi
        unset \(keyVariable)
        "$0" "$@"
        exit
        """
}

/// The setting `auth` of git: credentials that are sent with each request.
struct GitAuth: SettingValue {
    /// The value of the header `Authorization`.
    let header: String

    static var shape: String { "[user, password], {basic: [user, password]} or {bearer: token}" }

    static var form: ValueForm { .either([.list(of: .text), .settings(AuthForm.self)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> GitAuth? {
        guard node.sequence != nil || node.mapping != nil else {
            return decoder.mismatch(node, expected: shape)
        }
        guard case .known(let authentication)? = decoder.decode(HTTPAuth.self, from: node)
        else { return nil }
        switch authentication {
        case .basic(let user, let password):
            return GitAuth(header: basic("\(user):\(password)"))
        case .bearer(let token): return GitAuth(header: "Bearer \(token)")
        case .digest:
            return decoder.error("\(decoder.subject) must be \(shape)", at: node.range)
        }
    }

    /// The header for a user and a password with a colon between them.
    static func basic(_ credentials: String) -> String {
        let pair = credentials.contains(":") ? credentials : credentials + ":"
        return "Basic \(Data(pair.utf8).base64EncodedString())"
    }
}

/// The setting `repourl`: a URL, `host:path`, or the path of a folder.
struct RepositoryAddress: SettingValue {
    let text: String

    static var shape: String { "the URL of a repository, or the path of a folder" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> RepositoryAddress? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        guard !text.isEmpty, !text.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
            return decoder.error(
                "\(decoder.subject) must be \(shape), which is not empty and has no control "
                    + "character", at: node.range)
        }
        guard !text.hasPrefix("-") else {
            return decoder.error(
                "\(decoder.subject) begins with '-', which git takes for an option; begin a path "
                    + "with './'", at: node.range)
        }
        guard !isProgram(text) else {
            return decoder.error(
                "\(decoder.subject) is an address that runs a program; write a URL or a path",
                at: node.range)
        }
        return RepositoryAddress(text: text)
    }

    /// Whether git would run a remote helper with the address, as for `ext::sh -c …`.
    private static func isProgram(_ text: String) -> Bool {
        guard let range = text.firstRange(of: "::") else { return false }
        return text[..<range.lowerBound].allSatisfy {
            $0.isLetter || $0.isNumber || "+-.".contains($0)
        }
    }

    /// The address with a relative path taken from a folder.
    func absolute(in folder: String) -> RepositoryAddress {
        let first = text.prefix { $0 != "/" }
        guard !text.contains("://"), !text.hasPrefix("/"), !first.contains(":") else { return self }
        return RepositoryAddress(text: text == "." ? folder : "\(folder)/\(text)")
    }

    /// Whether a source stamp of another address can be of this repository: both have the same name,
    /// or this is the checkout that contains the folder.
    ///
    /// Hosts, ports and folders differ between web pages, clone URLs and mirrors of a repository. What
    /// is not an address, such as the word that a script sends, tells nothing.
    func mayBe(_ other: RepositoryAddress, around folder: String) -> Bool {
        let path = text.hasPrefix("file://") ? String(text.dropFirst(7)) : text
        let isAround =
            path.hasPrefix("/") && "\(folder)/".hasPrefix(path.last == "/" ? path : "\(path)/")
        return isAround || !other.text.contains("/") || name == other.name
    }

    /// The last component of the path, without `.git`.
    private var name: String {
        (location.split { "/:".contains($0) }.last ?? "").lowercased()
    }

    /// Whether both have the same host and path.
    func isSame(as other: RepositoryAddress) -> Bool { location == other.location }

    /// Host and path, the same for all ways to reach them: `github.com/apple/swift`.
    private var location: String {
        var rest = text[...]
        if let scheme = rest.firstRange(of: "://") {
            rest = rest[scheme.upperBound...]
        } else if !rest.hasPrefix("/"), let colon = rest.firstIndex(of: ":") {
            rest = "\(rest[..<colon])/\(rest[colon...].dropFirst())"
        }
        let host = rest.prefix { $0 != "/" }
        if let user = host.lastIndex(of: "@") { rest = rest[rest.index(after: user)...] }
        while rest.hasSuffix("/") { rest.removeLast() }
        return String(rest.hasSuffix(".git") ? rest.dropLast(4) : rest)
    }

    /// The path on the server without `.git`, such as `apple/swift`; `nil` for a folder of this
    /// machine.
    var pathOnServer: String? {
        guard text.contains(":"), !text.lowercased().hasPrefix("file:") else { return nil }
        let path = location.drop { $0 != "/" }.drop { $0 == "/" }
        return path.isEmpty ? nil : String(path)
    }

    /// Scheme and authority of an http or https URL, without a user.
    var server: String? {
        guard let (scheme, authority) = parts, scheme == "http" || scheme == "https"
        else { return nil }
        return "\(scheme)://\(authority.afterUser)"
    }

    /// The user of an http or https URL, with its password.
    var user: String? {
        guard server != nil, let end = parts?.authority.lastIndex(of: "@") else { return nil }
        return parts.map { String($0.authority[..<end]) }
    }

    /// The host as a known_hosts file names it.
    var sshHost: String? {
        if let (scheme, authority) = parts {
            guard scheme == "ssh" || scheme == "git+ssh" || scheme == "ssh+git" else { return nil }
            let host = authority.afterUser
            if host.hasPrefix("[") || !host.contains(":") { return String(host) }
            let pair = host.split(separator: ":", maxSplits: 1)
            return pair[1] == "22" ? String(pair[0]) : "[\(pair[0])]:\(pair[1])"
        }
        guard !text.hasPrefix("/"), let colon = text.firstIndex(of: ":"),
            !text[..<colon].contains("/")
        else { return nil }
        return String(text[..<colon].afterUser)
    }

    private var parts: (scheme: String, authority: Substring)? {
        guard let mark = text.firstRange(of: "://") else { return nil }
        let rest = text[mark.upperBound...]
        return (text[..<mark.lowerBound].lowercased(), rest.prefix { !"/?#".contains($0) })
    }
}

extension Substring {
    /// What follows the last `@`.
    fileprivate var afterUser: Substring {
        lastIndex(of: "@").map { self[index(after: $0)...] } ?? self
    }
}
