import Crypto
public import MasterKit

/// Sets the statuses of commits on Bitbucket Cloud.
public struct BitbucketStatusPush: CommitStatusReporter {
    /// What the reporter does.
    public static let summary = "Sets the statuses of commits on Bitbucket Cloud."

    @Setting(
        "A user with an app password, or a token, as [user, password] or {bearer: token}.",
        .secret, .example(["bearer": "TOKEN"]))
    var auth: Renderable<KnownAuth>

    @Setting("The address of the API; by default that of bitbucket.org.", .alias("base_url"))
    var baseURL: HTTPAddress?

    @SettingGroup var status: CommitStatusSettings

    /// Creates an unconfigured reporter.
    public init() {}

    /// Sets the status of each commit of the report.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let authentication = try context.render(auth).authentication
        let base = try baseURL ?? HTTPAddress("https://api.bitbucket.org/2.0")
        try await status.send(report, in: context, prefersAddress: true) { commit in
            var body = commit.fields(keyLimit: 40, cancelled: "STOPPED")
            if let branch = commit.branch { body["refname"] = .string(branch) }
            var request = try HTTPRequest(
                posting: body, to: base,
                "repositories/\(try commit.ownerAndName())/commit/"
                    + "\(try commit.encodedRevision())/statuses/build")
            request.authentication = authentication
            return request
        }
    }
}

/// Sets the statuses of commits on Bitbucket Server and Data Center.
public struct BitbucketServerStatusPush: CommitStatusReporter {
    /// What the reporter does.
    public static let summary =
        "Sets the statuses of commits on Bitbucket Server and Data Center."

    @Setting("The address of the server.", .alias("base_url"))
    var baseURL: HTTPAddress

    @Setting(
        "A user with a password, or a token, as [user, password] or {bearer: token}.",
        .secret, .example(["bearer": "TOKEN"]))
    var auth: Renderable<KnownAuth>

    @SettingGroup var status: CommitStatusSettings

    /// The length to which the server limits keys, names and descriptions.
    private static let textLimit = 255

    /// Creates an unconfigured reporter.
    public init() {}

    /// Sets the status of each commit of the report.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let authentication = try context.render(auth).authentication
        try await status.send(report, in: context, prefersAddress: true) { commit in
            let (project, repository) = try commit.projectAndRepository()
            var request = try HTTPRequest(
                posting: commit.fields(
                    keyLimit: Self.textLimit, textLimit: Self.textLimit, cancelled: "FAILED"),
                to: baseURL,
                "rest/api/1.0/projects/\(project.percentEncoded)/repos/"
                    + "\(repository.percentEncoded)/commits/\(try commit.encodedRevision())/builds")
            request.authentication = authentication
            return request
        }
    }
}

extension CommitStatus {
    /// What both servers are told.
    ///
    /// - Parameters:
    ///   - keyLimit: The length to which the server limits keys.
    ///   - textLimit: The length to which it limits names and descriptions.
    ///   - cancelled: The state of a build that was cancelled.
    /// - Returns: The fields of the body.
    fileprivate func fields(
        keyLimit: Int, textLimit: Int = .max, cancelled: String
    ) -> JSONObject {
        let word =
            switch state {
            case .requested, .running, .ended(.retry): "INPROGRESS"
            case .ended(.success), .ended(.warnings), .ended(.skipped): "SUCCESSFUL"
            case .ended(.cancelled): cancelled
            case .ended(.failure), .ended(.exception): "FAILED"
            }
        return [
            "state": .string(word), "key": .string(key(of: keyLimit)),
            "name": .string(Self.cut(context, to: textLimit)), "url": .string(url),
            "description": .string(Self.cut(description, to: textLimit)),
        ]
    }

    /// The context, or its digest if it is too long.
    private func key(of limit: Int) -> String {
        guard context.count > limit else { return context }
        return Insecure.SHA1.hash(data: Array(context.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// The key of the project and the name of the repository: of `CI/app`, of `scm/ci/app` in the
    /// address of a clone, or of `projects/CI/repos/app` in that of a page. A user's own project has
    /// a tilde, but not in the address of a page.
    ///
    /// - Throws: ``DeliveryError`` if the path has only one component.
    fileprivate func projectAndRepository() throws -> (project: String, repository: String) {
        let parts = try pathComponents()
        if let place = parts.lastIndex(of: "repos"), place > 1, place + 1 < parts.count,
            ["projects", "users"].contains(parts[place - 2])
        {
            let isUser = parts[place - 2] == "users"
            return ((isUser ? "~" : "") + parts[place - 1], parts[place + 1])
        }
        guard parts.count > 1 else { throw noRepository }
        return (parts[parts.count - 2], parts[parts.count - 1])
    }
}
