/// A log of a step: what is known of it besides its content.
public struct Log: Sendable, Hashable {
    /// How the content of a log is to be read.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// Lines, each marked as standard output `o`, standard error `e` or header `h`.
        case stream = "s"
        /// Plain text.
        case text = "t"
        /// A page of HTML.
        case html = "h"
    }

    /// The row of the log in the store.
    public var id: Int
    /// The step it belongs to.
    public var stepID: Int
    /// The name, such as `stdio`.
    public var name: String
    /// The name as it stands in addresses, unique in its step.
    public var slug: String
    /// How its content is to be read.
    public var kind: Kind
    /// Whether nothing will be added to it.
    public var isComplete: Bool
    /// The number of lines so far.
    public var lineCount: Int

    /// Makes a log.
    public init(
        id: Int, stepID: Int, name: String, slug: String, kind: Kind, isComplete: Bool = false,
        lineCount: Int = 0
    ) {
        self.id = id
        self.stepID = stepID
        self.name = name
        self.slug = slug
        self.kind = kind
        self.isComplete = isComplete
        self.lineCount = lineCount
    }

    /// The data API's form.
    public var json: JSONObject {
        [
            "logid": .int(id), "name": .string(name), "slug": .string(slug),
            "stepid": .int(stepID), "complete": .bool(isComplete),
            "num_lines": .int(lineCount), "type": .string(kind.rawValue),
        ]
    }
}
