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

    /// The properties by which a change hook tells its merge request from others, which can have
    /// the same branch: that of GitLab is the one that they are for. Empty for other changes.
    public var mergeRequest: JSONObject {
        JSONObject(
            Self.mergeRequestProperties.compactMap { name in
                properties[name].map { (name, $0) }
            })
    }

    /// The names of those properties.
    package static let mergeRequestProperties = [
        "pullrequesturl", "source_branch", "source_project_id",
    ]

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

extension Change {
    /// The most bytes of a message that are kept.
    package static let maximumComments = 64 << 10
    /// The most files of a change that are kept, and their bytes.
    package static let maximumFiles = (count: 10_000, bytes: 1 << 20)
    /// The most bytes of every other text.
    private static let maximumText = 4096

    /// The change within bounds: what strangers write can be large, and can contain characters that
    /// break lines of logs and headers of mail.
    ///
    /// Messages and names of files are cut, and control characters of one-line texts become spaces.
    ///
    /// - Returns: The change, and a sentence about each cut.
    /// - Throws: ``ChangeTooLarge`` if a text is too long that means something else when cut.
    package func bounded() throws(ChangeTooLarge) -> (change: Change, cuts: [String]) {
        var change = self
        change.author = Self.line(author, cutting: true) ?? ""
        change.committer = Self.line(committer, cutting: true)
        for (name, path) in Self.lines {
            let text = Self.line(self[keyPath: path])
            if let text, text.utf8.count > Self.maximumText {
                throw ChangeTooLarge(name: name, byteCount: text.utf8.count)
            }
            change[keyPath: path] = text
        }
        change.sourceStamp.repository = try Self.short(repository, "repository")
        change.sourceStamp.project = try Self.short(project, "project")
        change.sourceStamp.codebase = try Self.short(codebase, "codebase")
        var cuts: [String] = []
        let subject = "the change \(change.revision?.prefix(60) ?? "without a revision")"
        change.comments = comments.replacing("\0", with: " ")
        if comments.utf8.count > Self.maximumComments {
            let kept = Self.prefix(change.comments, Self.maximumComments)
            change.comments = kept + "\n… (\(comments.utf8.count - kept.utf8.count) bytes cut off)"
            cuts.append("\(subject) has a message of \(comments.utf8.count) bytes, which is cut")
        }
        var bytes = 0
        change.files = files.prefix(Self.maximumFiles.count).prefix { file in
            bytes += file.utf8.count
            return bytes <= Self.maximumFiles.bytes
        }.map { $0.replacing("\0", with: " ") }
        if change.files.count < files.count {
            cuts.append(
                "\(subject) lists \(files.count) files, of which \(change.files.count) are kept")
        }
        return (change, cuts)
    }

    /// The texts that are one line and must not be cut.
    private static var lines: [(String, WritableKeyPath<Change, String?>)] {
        [
            ("branch", \.sourceStamp.branch), ("revision", \.sourceStamp.revision),
            ("revlink", \.revlink), ("category", \.category),
        ]
    }

    private static func short(_ text: String, _ name: String) throws(ChangeTooLarge) -> String {
        guard text.utf8.count <= maximumText else {
            throw ChangeTooLarge(name: name, byteCount: text.utf8.count)
        }
        return line(text) ?? ""
    }

    private static func line(_ text: String?, cutting: Bool = false) -> String? {
        guard let text else { return nil }
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: " "
            default: scalar
            }
        }
        let line = String(String.UnicodeScalarView(scalars))
        return cutting ? prefix(line, maximumText / 4) : line
    }

    /// The characters at the beginning that fit into a number of bytes.
    private static func prefix(_ text: String, _ count: Int) -> String {
        guard text.utf8.count > count else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: count)
        while end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }
}

/// A text of a change is too long to be kept.
package struct ChangeTooLarge: Error, CustomStringConvertible {
    let name: String
    let byteCount: Int

    package var description: String {
        "the \(name) of a change has \(byteCount) bytes; at most 4096 are allowed"
    }
}
