import MasterKit

/// The status of a commit, as a service for repositories shows it.
struct CommitStatus {
    /// What has become of the build.
    enum State {
        /// The request waits for its build.
        case requested
        case running
        case ended(Results)
    }

    let state: State
    /// What distinguishes it from other statuses of the commit.
    let context: String
    let description: String
    /// The address of the build.
    let url: String
    /// The path of the repository on the server, such as `apple/swift`.
    let repository: String
    /// Whether the reporter's own setting tells the repository.
    let isRepositoryGiven: Bool
    let revision: String
    let branch: String?
    /// The properties of the build, with their sources.
    let properties: JSONValue?
}

/// A reporter that sets the statuses of commits.
protocol CommitStatusReporter: Reporter, SettingHints {
    var status: CommitStatusSettings { get }
}

extension CommitStatusReporter {
    /// A hint for a setting that these reporters do not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "url", "address", "endpoint", "webhook", "server_url", "serverUrl": "write 'baseURL'"
        case "repo", "project", "project_id": "write 'repository'"
        case "oauth_key", "oauth_secret": "write 'auth: [USER, !Secret NAME]' with an app password"
        case "mode", "builders", "tags":
            "write 'generators: [generators.BuildStatusGenerator: {\(name): …}]'"
        default: nil
        }
    }

    /// A request, the start and the end of its build.
    public var defaultGenerators: [any ReportGenerator] {
        [BuildRequestGenerator(), BuildStartEndStatusGenerator()]
    }

    /// The settings describe the status.
    public var defaultFormatter: any MessageFormatter { CommitStatusFormatter() }

    /// What the settings use.
    public var uses: ReportUses { status.uses }
}

/// The settings common to the reporters of commit statuses.
struct CommitStatusSettings: Settings {
    @Setting("What tells the statuses of a commit apart; by default buildmaster/BUILDER.")
    var context: ReportedSetting<String?>

    @Setting("The repository as OWNER/NAME; by default that of the build's sources.")
    var repository: ReportedSetting<String?>

    @Setting("The description when a build has started; by default 'build started'.")
    var startDescription: ReportedSetting<String?>

    @Setting("The description when a build has ended; by default its state.")
    var endDescription: ReportedSetting<String?>

    @SettingGroup var connection: ReporterConnection

    /// The parts of a report that the settings depend on; the revision may be a property.
    var uses: ReportUses {
        [context, repository, startDescription, endDescription]
            .reduce(into: ReportUses()) { $0 = $0.union($1.uses) }
    }

    /// Sets the status of each source of the report's builds.
    ///
    /// - Parameters:
    ///   - report: The report; a text is the description.
    ///   - context: The context of the delivery.
    ///   - prefersAddress: Whether the address of the sources tells their repository, even if their
    ///     project has the form OWNER/NAME.
    ///   - isAlreadySet: Whether a response says that the status is set already.
    ///   - request: The request that sets one status.
    /// - Throws: ``DeliveryError``.
    func send(
        _ report: Report, in context: DeliveryContext, prefersAddress: Bool = false,
        isAlreadySet: (HTTPResponse) -> Bool = { _ in false },
        as request: (CommitStatus) throws -> HTTPRequest
    ) async throws {
        let statuses = try report.builds.flatMap {
            try self.statuses(of: $0, report, prefersAddress, context)
        }
        guard !statuses.isEmpty else {
            throw DeliveryError(
                .nothingToSend, "the build has no revision of a repository on a server")
        }
        for status in statuses {
            let response = try await connection.send(try request(status), in: context)
            guard !isAlreadySet(response) else { continue }
            let error = DeliveryError(
                answering: response, in: context, remedy: Self.remedy(response.status, status))
            guard let error else { continue }
            // The address is that of one repository alone.
            throw DeliveryError(
                error.verdict == .endpointGone ? .reject : error.verdict, error.reason,
                status: error.status, responseText: error.responseText)
        }
    }

    private static func remedy(_ code: Int, _ status: CommitStatus) -> String? {
        switch code {
        case 300..<400:
            "check 'baseURL', and whether \(status.repository) has another name now"
        case 401, 403: "check that the credentials may set statuses of \(status.repository)"
        case 404, 422:
            "check that \(status.repository) has the commit \(status.revision), and that the "
                + "credentials may set its statuses"
        default: nil
        }
    }

    private func statuses(
        of build: JSONObject, _ report: Report, _ prefersAddress: Bool,
        _ context: DeliveryContext
    ) throws -> [CommitStatus] {
        let builder = build["builder"]?["name"]?.stringValue ?? ""
        let state: CommitStatus.State =
            report.results.map { .ended($0) } ?? (build["number"] == nil ? .requested : .running)
        let name = try context.render(self.context.value, for: report)
        let description = try description(of: build, state, report, context)
        let repository = try context.render(self.repository.value, for: report)
        let isNewer = Self.isOfNewerCommit(build)
        let stamps = build["buildset"]?["sourcestamps"]?.arrayValue ?? []
        return stamps.compactMap { stamp in
            guard let revision = Self.revision(of: stamp, in: build),
                let path = repository ?? Self.repository(of: stamp, prefersAddress)
            else { return nil }
            let isBuilt = !isNewer || build["properties"]?["revision"]?[0]?.stringValue == revision
            return CommitStatus(
                state: state, context: name ?? "buildmaster/\(builder)",
                description: isBuilt ? description : description + " (with a newer commit)",
                url: build["url"]?.stringValue ?? "", repository: path,
                isRepositoryGiven: repository != nil, revision: revision,
                branch: stamp["branch"]?.stringValue, properties: build["properties"])
        }
    }

    private func description(
        of build: JSONObject, _ state: CommitStatus.State, _ report: Report,
        _ context: DeliveryContext
    ) throws -> String {
        switch report.body {
        case .text(let text, _): return text
        case .json:
            throw DeliveryError(
                .reject,
                "a commit status is described by a text; give the generator a formatter "
                    + "that makes one")
        case .empty: break
        }
        switch state {
        case .requested: return "build requested"
        case .running:
            return try context.render(startDescription.value, for: report) ?? "build started"
        case .ended(let results):
            return try context.render(endDescription.value, for: report)
                ?? build["state_string"]?.stringValue ?? "build \(results.name)"
        }
    }

    /// Whether the report is about a collapsed request: the build has the sources of another one.
    private static func isOfNewerCommit(_ build: JSONObject) -> Bool {
        guard let own = build["buildrequestid"] else { return false }
        return build["buildrequest"]?["buildrequestid"] != own
    }

    /// The revision that was asked for, or that the build has found.
    private static func revision(of stamp: JSONValue, in build: JSONObject) -> String? {
        if let revision = stamp["revision"]?.stringValue { return revision }
        let found = build["properties"]?["got_revision"]?[0]
        let codebase = stamp["codebase"]?.stringValue ?? ""
        return found?.stringValue ?? found?[codebase]?.stringValue
    }

    private static func repository(
        of stamp: JSONValue, _ prefersAddress: Bool
    ) -> String? {
        let path = RepositoryAddress(text: stamp["repository"]?.stringValue ?? "").pathOnServer
        if prefersAddress, let path { return path }
        // A project can also have a name for people, such as 'Mobile / iOS'.
        let project = stamp["project"]?.stringValue
        let isPath = project?.wholeMatch(of: #/[^\s:\/]+(?:\/[^\s:\/]+)+/#) != nil
        return isPath ? project : path
    }
}

/// The body of a status without a formatter of its own: the settings describe it.
struct CommitStatusFormatter: MessageFormatter {
    static let summary = "What a commit status needs of a build."

    func format(_ topic: ReportTopic) -> Message { Message(.empty) }
}

extension CommitStatus {
    /// The last two components of the repository's path, encoded for an address.
    ///
    /// - Throws: ``DeliveryError`` if the path has only one, or one that leads elsewhere.
    func ownerAndName() throws -> String {
        let parts = try pathComponents()
        guard parts.count > 1 else { throw noRepository }
        return parts.suffix(2).map(\.percentEncoded).joined(separator: "/")
    }

    /// The repository's path below a root as one component of an address.
    ///
    /// - Throws: ``DeliveryError`` if it leads elsewhere.
    func encodedRepository(below root: String) throws -> String {
        let path = try pathComponents().joined(separator: "/")
        return String(path.dropFirst(path.hasPrefix(root) ? root.count : 0)).percentEncoded
    }

    /// A property that the change of the build has given it.
    func property(_ name: String) -> JSONValue? {
        let property = properties?[name]
        return property?[1] == "Change" ? property?[0] : nil
    }

    func pathComponents() throws -> [String] {
        let parts = repository.split(separator: "/").map(String.init)
        guard !parts.isEmpty, !parts.contains("."), !parts.contains("..") else {
            throw noRepository
        }
        return parts
    }

    var noRepository: DeliveryError {
        DeliveryError(
            .reject,
            "the repository '\(repository)' is not OWNER/NAME; correct 'repository' of the "
                + "reporter, or that of the build")
    }

    /// The revision, encoded for an address.
    ///
    /// - Throws: ``DeliveryError`` if it would lead to another one.
    func encodedRevision() throws -> String {
        guard !["", ".", ".."].contains(revision) else {
            throw DeliveryError(
                .reject,
                "the revision of the build, '\(revision)', is not that of a commit; give "
                    + "another one")
        }
        return revision.percentEncoded
    }

    /// A text of at most a number of characters.
    static func cut(_ text: String, to length: Int) -> String {
        text.count <= length ? text : "\(text.prefix(length - 1))…"
    }
}

extension HTTPRequest {
    /// A POST of JSON to a path below an address.
    init(posting body: JSONObject, to base: HTTPAddress, _ path: String) throws {
        let root = base.text.hasSuffix("/") ? String(base.text.dropLast()) : base.text
        self.init(.post, try HTTPAddress("\(root)/\(path)"))
        self.body = .json(JSONWriter.compact.bytes(.object(body)))
        headers.set("Accept", "application/json")
    }
}
