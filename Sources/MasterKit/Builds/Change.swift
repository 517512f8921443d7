public import FoundationEssentials

/// A change to the sources, such as a commit: who made it, what for, and which files it touched.
public struct Change: Sendable, Hashable {
    /// The id, `changeid` in records; 0 until the change is stored.
    public package(set) var id: Int = 0
    /// The ids of the previous change of the same branch, repository, project and codebase.
    package var parentIDs: [Int] = []
    /// The sources after the change.
    public var sourceStamp: SourceStamp
    /// The author, usually `Name <mail address>`.
    public var author: String
    /// The committer, if known.
    public var committer: String?
    /// The message.
    public var comments: String
    /// The paths of the changed files.
    public var files: [String]
    /// The address of a page about the change.
    public var revlink: String?
    /// A word by which schedulers can select changes.
    public var category: String?
    /// The properties of builds of the change; their source is `Change`.
    public var properties: JSONObject
    /// When the change was made.
    public var when: Date

    /// Creates a change that is not stored yet.
    public init(
        author: String, committer: String? = nil, comments: String, files: [String] = [],
        sourceStamp: SourceStamp, revlink: String? = nil, category: String? = nil,
        properties: JSONObject = JSONObject(), when: Date
    ) {
        self.author = author
        self.committer = committer
        self.comments = comments
        self.files = files
        self.sourceStamp = sourceStamp
        self.revlink = revlink
        self.category = category
        self.properties = properties
        self.when = when
    }

    /// The branch, or `nil` for the default branch.
    public var branch: String? { sourceStamp.branch }
    /// The revision, or `nil` if unknown.
    public var revision: String? { sourceStamp.revision }
    /// The location of the repository, or empty if unknown.
    public var repository: String { sourceStamp.repository }
    /// The project's name, often empty.
    public var project: String { sourceStamp.project }
    /// The codebase, if there are several; often empty.
    public var codebase: String { sourceStamp.codebase }

    /// The properties with their source.
    package var buildProperties: Properties { Properties(properties, source: "Change") }

    /// The change in the data API's form.
    package var json: JSONObject {
        [
            "changeid": .int(id), "parent_changeids": .array(parentIDs.map { .int($0) }),
            "author": .string(author), "committer": .optional(committer),
            "comments": .string(comments), "files": .array(files.map { .string($0) }),
            "revision": .optional(revision), "revlink": .optional(revlink),
            "branch": .optional(branch), "category": .optional(category),
            "when_timestamp": .time(when), "properties": .object(buildProperties.json),
            "repository": .string(repository), "project": .string(project),
            "codebase": .string(codebase), "sourcestamp": .object(sourceStamp.json),
        ]
    }
}
