package import FoundationEssentials

/// Which source a build is made of: one codebase at one revision.
public struct SourceStamp: Sendable, Hashable {
    /// The row of the stamp in the store; 0 before it is stored.
    package var id: Int
    /// The branch, `nil` for the default one.
    public var branch: String?
    /// The revision, `nil` for the newest.
    public var revision: String?
    /// Where the source is kept, empty when unknown.
    public var repository: String
    /// The project's name, often empty.
    public var project: String
    /// Which of several codebases this is, often empty.
    public var codebase: String
    /// When the stamp was first seen.
    package var createdAt: Date

    /// Makes a source stamp.
    public init(
        branch: String? = nil, revision: String? = nil, repository: String = "",
        project: String = "", codebase: String = ""
    ) {
        self.init(
            id: 0, branch: branch, revision: revision, repository: repository, project: project,
            codebase: codebase)
    }

    package init(
        id: Int, branch: String? = nil, revision: String? = nil, repository: String = "",
        project: String = "", codebase: String = "", createdAt: Date = Date()
    ) {
        self.id = id
        self.branch = branch
        self.revision = revision
        self.repository = repository
        self.project = project
        self.codebase = codebase
        self.createdAt = createdAt
    }

    /// The data API's form.
    package var json: JSONObject {
        [
            "ssid": .int(id), "branch": .optional(branch), "revision": .optional(revision),
            "project": .string(project), "repository": .string(repository),
            "codebase": .string(codebase), "created_at": .time(createdAt), "patch": .null,
        ]
    }

    /// The value of an attribute as `%(src:CODEBASE:ATTRIBUTE)s` names it, `nil` for an unknown one.
    package func attribute(_ name: String) -> JSONValue? {
        switch name {
        case "branch": .optional(branch)
        case "revision": .optional(revision)
        case "repository": .string(repository)
        case "project": .string(project)
        case "codebase": .string(codebase)
        default: nil
        }
    }
}
