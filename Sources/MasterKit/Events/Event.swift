public import FoundationEssentials

/// Something that happened to a record, published after the store has committed it.
///
/// An event carries the record as it was at that moment and is never changed afterwards; every
/// reader has its own copy.
public struct Event: Sendable, Hashable {
    /// The position in the stored order of events; `nil` for one that is only published live.
    public var sequence: Int?
    /// When it happened.
    public let at: Date
    /// What happened.
    public let kind: EventKind
    /// What the event is kept in order with: the build request's id, or that of a buildset with a
    /// minus sign.
    public let lane: Int
    /// The build it is about or belongs to.
    public let buildID: Int?
    /// The last finished build of the same builder when this build started.
    public let previousBuildID: Int?
    /// The record in the data API's form. The record of a build has its request, buildset,
    /// builder, properties and address in it.
    public let record: JSONObject

    /// Makes an event.
    public init(
        sequence: Int? = nil, at: Date, kind: EventKind, lane: Int, buildID: Int? = nil,
        previousBuildID: Int? = nil, record: JSONObject
    ) {
        self.sequence = sequence
        self.at = at
        self.kind = kind
        self.lane = lane
        self.buildID = buildID
        self.previousBuildID = previousBuildID
        self.record = record
    }

    /// The result in the record, `nil` while there is none.
    public var results: Results? {
        record["results"]?.intValue.flatMap(Results.init(rawValue:))
    }

    /// The name of the builder in a build's record.
    public var builderName: String? {
        record["builder"]?["name"]?.stringValue
    }

    /// The tags of the builder in a build's record.
    public var builderTags: [String] {
        record["builder"]?["tags"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// The value of a property in a build's record.
    public func property(_ name: String) -> JSONValue? {
        record["properties"]?[name]?[0]
    }
}
