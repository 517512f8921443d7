public import MasterKit

/// Sets the statuses of commits on GitHub.
public struct GitHubStatusPush: CommitStatusReporter {
    /// What the reporter does.
    public static let summary = "Sets the statuses of commits on GitHub."

    @Setting("A token that may set commit statuses.", .secret, .primary, .notEmpty)
    var token: Renderable<String>

    @Setting("The address of the API; by default that of github.com.", .alias("baseUrl"))
    var baseURL: HTTPAddress?

    @SettingGroup var status: CommitStatusSettings

    /// The length to which GitHub limits descriptions.
    private static let descriptionLimit = 140

    /// Creates an unconfigured reporter.
    public init() {}

    /// Sets the status of each commit of the report.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let token = try context.render(token)
        let base = try baseURL ?? HTTPAddress("https://api.github.com")
        try await status.send(report, in: context) { commit in
            var request = try HTTPRequest(
                posting: [
                    "state": .string(Self.state(of: commit.state)),
                    "target_url": .string(commit.url),
                    "description": .string(
                        CommitStatus.cut(commit.description, to: Self.descriptionLimit)),
                    "context": .string(commit.context),
                ], to: base,
                "repos/\(try commit.ownerAndName())/statuses/\(try commit.encodedRevision())")
            request.headers.set("Accept", "application/vnd.github+json")
            request.authentication = .bearer(token: token)
            return request
        }
    }

    private static func state(of state: CommitStatus.State) -> String {
        switch state {
        case .requested, .running, .ended(.retry): "pending"
        case .ended(.success), .ended(.warnings), .ended(.skipped): "success"
        case .ended(.failure): "failure"
        case .ended: "error"
        }
    }
}

/// Sets the statuses of commits on GitLab.
public struct GitLabStatusPush: CommitStatusReporter {
    /// What the reporter does.
    public static let summary = "Sets the statuses of commits on GitLab."

    @Setting("A token with the scope 'api'.", .secret, .primary, .notEmpty)
    var token: Renderable<String>

    @Setting("The address of the server; by default gitlab.com.", .alias("baseUrl"))
    var baseURL: HTTPAddress?

    @SettingGroup var status: CommitStatusSettings

    /// The length to which GitLab limits descriptions.
    private static let descriptionLimit = 255

    /// Creates an unconfigured reporter.
    public init() {}

    /// Sets the status of each commit of the report.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let token = try context.render(token)
        let base = try baseURL ?? HTTPAddress("https://gitlab.com")
        try await status.send(report, in: context, isAlreadySet: Self.isAlreadySet) { commit in
            var body: JSONObject = [
                "state": .string(Self.state(of: commit.state)),
                "target_url": .string(commit.url),
                "description": .string(
                    CommitStatus.cut(commit.description, to: Self.descriptionLimit)),
                "name": .string(commit.context),
            ]
            // A merge request shows the statuses of its source branch.
            let branch = commit.property("source_branch")?.stringValue ?? commit.branch
            if let branch { body["ref"] = .string(branch) }
            var request = try HTTPRequest(
                posting: body, to: base,
                "api/v4/projects/\(try Self.project(of: commit, on: base))/statuses/"
                    + "\(try commit.encodedRevision())")
            request.headers.set("Private-Token", token)
            request.sensitiveHeaders.append("Private-Token")
            return request
        }
    }

    /// The id of the project that a merge request comes from, or else the path of the repository
    /// below the address of the server.
    private static func project(of commit: CommitStatus, on base: HTTPAddress) throws -> String {
        if !commit.isRepositoryGiven, let id = commit.property("source_project_id")?.intValue {
            return "\(id)"
        }
        let root = RepositoryAddress(text: base.text).pathOnServer.map { $0 + "/" } ?? ""
        return try commit.encodedRepository(below: root)
    }

    /// GitLab refuses to set a state that the status has already.
    private static func isAlreadySet(_ response: HTTPResponse) -> Bool {
        response.status == 400 && response.text.contains("Cannot transition status")
    }

    private static func state(of state: CommitStatus.State) -> String {
        switch state {
        case .requested, .ended(.retry): "pending"
        case .running: "running"
        case .ended(.success), .ended(.warnings), .ended(.skipped): "success"
        case .ended(.failure), .ended(.exception): "failed"
        case .ended(.cancelled): "canceled"
        }
    }
}

/// Sets the statuses of commits on Gitea or Forgejo.
public struct GiteaStatusPush: CommitStatusReporter {
    /// What the reporter does.
    public static let summary = "Sets the statuses of commits on Gitea or Forgejo."

    @Setting("The address of the server.", .alias("baseUrl"))
    var baseURL: HTTPAddress

    @Setting("A token that may write to repositories.", .secret, .notEmpty)
    var token: Renderable<String>

    @Setting("Whether warnings count as a success; by default they are a state of their own.")
    var warningAsSuccess = false

    @SettingGroup var status: CommitStatusSettings

    /// Creates an unconfigured reporter.
    public init() {}

    /// Sets the status of each commit of the report.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let token = try context.render(token)
        try await status.send(report, in: context) { commit in
            var request = try HTTPRequest(
                posting: [
                    "state": .string(state(of: commit.state)),
                    "target_url": .string(commit.url),
                    "description": .string(commit.description),
                    "context": .string(commit.context),
                ], to: baseURL,
                "api/v1/repos/\(try commit.ownerAndName())/statuses/"
                    + "\(try commit.encodedRevision())")
            request.headers.set("Authorization", "token \(token)")
            request.sensitiveHeaders.append("Authorization")
            return request
        }
    }

    private func state(of state: CommitStatus.State) -> String {
        switch state {
        case .requested, .running, .ended(.retry): "pending"
        case .ended(.success), .ended(.skipped): "success"
        case .ended(.warnings): warningAsSuccess ? "success" : "warning"
        case .ended(.failure): "failure"
        case .ended: "error"
        }
    }
}
