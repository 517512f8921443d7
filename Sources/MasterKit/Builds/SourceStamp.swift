package import FoundationEssentials

/// The source of a build: one codebase at one revision.
public struct SourceStamp: Sendable, Hashable {
    /// The row id of the source stamp in the store; 0 until it is stored.
    package var id: Int
    /// The branch, or `nil` for the default branch.
    public var branch: String?
    /// The revision, or `nil` for the latest.
    public var revision: String?
    /// The location of the repository, or empty if unknown.
    public var repository: String
    /// The project's name, often empty.
    public var project: String
    /// The codebase, if there are several; often empty.
    public var codebase: String
    /// When the source stamp was first seen.
    package var createdAt: Date

    /// Creates a source stamp.
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

    /// The source stamp in the data API's form.
    package var json: JSONObject {
        [
            "ssid": .int(id), "branch": .optional(branch), "revision": .optional(revision),
            "project": .string(project), "repository": .string(repository),
            "codebase": .string(codebase), "created_at": .time(createdAt), "patch": .null,
        ]
    }

    /// The value of an attribute as in `%(src:CODEBASE:ATTRIBUTE)s`, or `nil` if it is unknown.
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
