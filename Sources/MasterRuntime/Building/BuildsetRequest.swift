public import MasterKit

/// A wish for builds: of which builders, of which source, and why.
public struct BuildsetRequest: Sendable {
    /// The builders, by name; `nil` for all that need no trigger.
    public var builders: [String]?
    /// Why, in words.
    public var reason: String
    /// What is to be built.
    public var sourceStamps: [SourceStamp]
    /// Properties that win over those of the file.
    public var properties: Properties
    /// The build that asks for it.
    public var parentBuildID: Int?

    /// Makes a request.
    public init(
        builders: [String]? = nil, reason: String, sourceStamps: [SourceStamp] = [SourceStamp()],
        properties: Properties = Properties(), parentBuildID: Int? = nil
    ) {
        self.builders = builders
        self.reason = reason
        self.sourceStamps = sourceStamps
        self.properties = properties
        self.parentBuildID = parentBuildID
    }
}

/// A build that has ended, with its steps.
public struct FinishedBuild: Sendable {
    /// The name of its builder.
    public let builder: String
    /// The build.
    public let build: Build
    /// Its steps in order.
    public let steps: [StepRecord]
    /// The logs of each step by the step's number, as paths of files on this machine.
    public let logs: [Int: [String]]
    /// Whether it ended as retry and another build takes its place.
    public let isRetried: Bool
}
