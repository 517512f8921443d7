/// What a generator and a formatter see beside the event.
public struct ReportContext: Sendable {
    /// The event that is reported.
    public let event: Event
    /// Makes the body when a generator names no formatter of its own.
    public let formatter: any MessageFormatter
    /// The title and address of the master.
    public let master: MasterIdentity
    private let source: any ReportSource

    /// Makes a context.
    public init(
        event: Event, formatter: any MessageFormatter, master: MasterIdentity,
        source: any ReportSource
    ) {
        self.event = event
        self.formatter = formatter
        self.master = master
        self.source = source
    }

    /// The record of the event's build, with the details that are asked for.
    public func build(with details: BuildDetails) async throws -> JSONObject {
        try await source.build(of: event, with: details)
    }

    /// The result of the last build of the same builder that had finished when this one started.
    public func previousResults() async throws -> Results? {
        guard let id = event.previousBuildID else { return nil }
        return try await source.results(ofBuild: id)
    }

    /// Makes a report of the event's build with a formatter, by default the reporter's own.
    public func report(with formatter: (any MessageFormatter)? = nil) async throws -> Report {
        let formatter = formatter ?? self.formatter
        return try await formatter.format(build(with: formatter.wanted), in: self)
    }
}

/// What a master is called and where it is found.
public struct MasterIdentity: Sendable, Hashable {
    /// The title.
    public var title: String
    /// The address of what the title stands for.
    public var titleURL: String
    /// The address of the master, ending in `/`.
    public var buildbotURL: String

    /// Makes an identity.
    public init(
        title: String = "Buildmaster", titleURL: String = "http://localhost:8080/",
        buildbotURL: String = "http://localhost:8080/"
    ) {
        self.title = title
        self.titleURL = titleURL
        self.buildbotURL = buildbotURL
    }
}

/// What looks up records for reports: the store, or a stand-in in tests.
public protocol ReportSource: Sendable {
    /// The record of an event's build with details.
    func build(of event: Event, with details: BuildDetails) async throws -> JSONObject
    /// The result of a build.
    func results(ofBuild id: Int) async throws -> Results?
}
