/// A builder as the store knows it: what it is called and how it is described.
public struct Builder: Sendable, Hashable {
    /// The row of the builder in the store; stays the same over runs.
    public var id: Int
    /// The name, unique in a master.
    public var name: String
    /// A text for people.
    public var description: String?
    /// Labels that generators filter by.
    public var tags: [String]

    /// Makes a builder.
    public init(id: Int, name: String, description: String? = nil, tags: [String] = []) {
        self.id = id
        self.name = name
        self.description = description
        self.tags = tags
    }

    /// The data API's form.
    public var json: JSONObject {
        [
            "builderid": .int(id), "name": .string(name), "masterids": .array([1]),
            "description": .optional(description), "description_format": .null,
            "description_html": .null, "projectid": .null,
            "tags": .array(tags.map { .string($0) }),
        ]
    }
}
