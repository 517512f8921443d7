/// Turns events into reports: it selects the events, and a formatter formats the message.
///
/// ```swift
/// /// Reports finished builds that have a property.
/// struct PropertyGenerator: ReportGenerator {
///     static let summary = "Reports finished builds that have a property."
///
///     @Setting("The property.", .primary, .notEmpty) var property: String
///     @SettingGroup var filter: BuildFilter
///     @Setting("Formats the message.", plugins: .formatters, .named("message_formatter"))
///     var formatter: (any MessageFormatter)?
///
///     var wantedEvents: Set<EventKind> { [.buildFinished] }
///
///     func generate(for event: Event, in context: ReportContext) async throws -> Report? {
///         guard filter.admits(event), event.property(property) != nil else { return nil }
///         return try await context.report(with: formatter)
///     }
/// }
/// ```
public protocol ReportGenerator: Plugin where Options == NoOptions {
    /// The kinds of events passed to the generator.
    var wantedEvents: Set<EventKind> { get }

    /// Returns the report for an event, or `nil` for no report.
    ///
    /// Called for each wanted event; for one build request, calls are in order and never
    /// concurrent.
    /// - Throws: An error whose description can be shown to the user; the report is then recorded
    ///   as a failed delivery with this description.
    func generate(for event: Event, in context: ReportContext) async throws -> Report?
}

extension ReportGenerator {
    /// The namespace `generators`.
    public static var namespace: PluginNamespace { PluginKind.generators.namespace }
}

extension PluginKind<any ReportGenerator, NoOptions> {
    /// The plugin kind for report generators.
    public static var generators: Self { Self("generators") }
}

/// The source of records for reports: the store, or a test double.
package protocol ReportSource: Sendable {
    /// Returns the steps of a build, in order, with their logs and log contents if wanted.
    ///
    /// - Parameters:
    ///   - build: The record of the build.
    ///   - details: Whether to include logs, and which ones.
    /// - Returns: The records of the steps.
    /// - Throws: Any error from the store.
    func steps(of build: JSONObject, with details: BuildDetails) async throws -> [JSONValue]

    /// Returns the events that finished the builds of a finished buildset; for a retried build,
    /// only that of the last try.
    func ends(ofBuildset id: Int) async throws -> [Event]

    /// Returns the results of a build, or `nil` if it is running or unknown.
    func results(ofBuild id: Int) async throws -> Results?

    /// Returns the results of a step of a build, or `nil` if it is running or there is no step of
    /// this name.
    func results(ofStep name: String, inBuild id: Int) async throws -> Results?

    /// Returns the authors of the changes that an event is about: those of its build, request or
    /// buildset.
    func authors(of event: Event) async throws -> [String]

    /// Returns these changes, oldest first.
    func changes(of event: Event) async throws -> [Change]
}

extension ReportSource {
    /// Nobody.
    package func authors(of event: Event) async throws -> [String] { [] }

    /// None.
    package func changes(of event: Event) async throws -> [Change] { [] }
}

/// The interface of a generator to the event, the reporter's formatter, and the related records.
public struct ReportContext: Sendable {
    /// The event to report.
    public let event: Event
    /// The formatter to use if a generator does not specify one.
    public let formatter: any MessageFormatter
    /// The master's title and URL.
    public let master: MasterIdentity
    /// The reporter's logger; messages are masked.
    public let logger: Logger
    private let source: any ReportSource
    private let uses: ReportUses

    package init(
        event: Event, formatter: any MessageFormatter, uses: ReportUses = ReportUses(),
        master: MasterIdentity, logger: Logger, source: any ReportSource
    ) {
        self.event = event
        self.formatter = formatter
        self.master = master
        self.logger = logger
        self.source = source
        self.uses = uses
    }

    /// Creates the report for the event.
    ///
    /// - Parameters:
    ///   - formatter: Formats the message; by default the reporter's formatter.
    ///   - options: What the generator adds to what the formatter wants.
    /// - Returns: The report: the message and what it is about.
    /// - Throws: Any error from the formatter or the store.
    public func report(
        with formatter: (any MessageFormatter)? = nil, _ options: ReportOptions = ReportOptions()
    ) async throws -> Report {
        let report = try await part(with: formatter, options)
        return headed(report, event.builderName ?? "whole \(event.kind.record.rawValue)")
    }

    /// Creates one report for several builds, each formatted separately.
    ///
    /// Strings and lists are concatenated; for any other body the first one is kept, as are the
    /// content type and each entry of the extra information. The result is the worst one, the
    /// subject that of its build, and users, patches, logs and builds are those of all. A body that can't be combined
    /// with the preceding ones is omitted, with a warning in the log.
    ///
    /// - Parameters:
    ///   - builds: The elements of a buildset's ``builds()`` to report.
    ///   - formatter: Formats the message of each build; by default the reporter's formatter.
    ///   - options: What the generator adds to what the formatter wants.
    /// - Returns: The report, or `nil` if there are no builds. Its result is the worst of the
    ///   builds' results.
    /// - Throws: Any error from the formatter or the store.
    public func report(
        of builds: [ReportContext], with formatter: (any MessageFormatter)? = nil,
        _ options: ReportOptions = ReportOptions()
    ) async throws -> Report? {
        guard let first = builds.first else { return nil }
        var report = try await first.part(with: formatter, options)
        for build in builds.dropFirst() {
            let part = try await build.part(with: formatter, options)
            guard !report.merge(part) else { continue }
            logger.warning(
                """
                the report of build \(build.event.buildID ?? 0) is left out, as its body can't be \
                put together with that of another build; only texts and lists can
                """)
        }
        return headed(report, "whole buildset")
    }

    /// Adds a heading to the report if its formatter has not set one.
    private func headed(_ report: Report, _ name: String) -> Report {
        guard report.subject == nil else { return report }
        var report = report
        report.subject = "\(Results.text(report.results)): \(name) (\(master.title))"
        return report
    }

    private func part(
        with formatter: (any MessageFormatter)?, _ options: ReportOptions
    ) async throws -> Report {
        let formatter = formatter ?? self.formatter
        let topic = try await topic(with: formatter.wanted.union(uses.details), options)
        var report = Report(try await formatter.format(topic), about: topic, options)
        report.inputs = topic.inputs(for: uses)
        return report
    }

    /// Returns the subject of the event, with details.
    public func topic(
        with details: BuildDetails, _ options: ReportOptions = ReportOptions()
    ) async throws -> ReportTopic {
        var details = details
        if let contents = options.logContents { details.logContents = contents }
        let comparesResults = details.previousResults || options.modes.comparesResults
        return ReportTopic(
            event, builds: try await records(with: details),
            previousResults: comparesResults ? try await previousResults() : nil,
            modes: options.modes,
            authors: details.authors ? try await source.authors(of: event) : [], master: master)
    }

    /// Returns a context for each finished build of the buildset, with the event that finished it.
    public func builds() async throws -> [ReportContext] {
        guard event.kind.record == .buildset, let id = event.record["bsid"]?.intValue else {
            return []
        }
        return try await source.ends(ofBuildset: id).map { end in
            ReportContext(
                event: end, formatter: formatter, uses: uses, master: master, logger: logger,
                source: source)
        }
    }

    /// Whether the modes select the event's outcome.
    public func isPicked(by modes: ReportModes) async throws -> Bool {
        guard let results = event.results else { return false }
        let previous = modes.comparesResults ? try await previousResults() : nil
        return modes.admit(results, after: previous)
    }

    /// Returns the previous result: that of the builder's last build, other than a retry, that had
    /// finished when this build started, or of the step with the same name in that build.
    public func previousResults() async throws -> Results? {
        guard let id = event.previousBuildID else { return nil }
        switch event.kind.record {
        case .build: return try await source.results(ofBuild: id)
        case .step:
            guard let name = event.record["name"]?.stringValue else { return nil }
            return try await source.results(ofStep: name, inBuild: id)
        default: return nil
        }
    }

    /// The records of the builds that the event is about.
    private func records(with details: BuildDetails) async throws -> [JSONObject] {
        guard event.kind.record != .buildset else {
            var records: [JSONObject] = []
            for build in try await builds() { records += try await build.records(with: details) }
            return records
        }
        guard var record = event.buildRecord else { return [] }
        if details.includesSteps, event.kind.record != .buildrequest {
            record["steps"] = .array(try await source.steps(of: record, with: details))
        }
        if details.changes {
            let changes = try await source.changes(of: event).suffix(BuildDetails.maximumChanges)
            record["changes"] = .array(changes.map { .object($0.json) })
        }
        if !details.properties { record["properties"] = [:] }
        return [record]
    }
}

/// The title and URLs of a master.
public struct MasterIdentity: Sendable, Hashable {
    /// The title.
    public var title: String
    /// The URL that the title links to.
    public var titleURL: String
    /// The master's URL, ending in `/`.
    public var buildbotURL: String

    /// Creates an identity.
    public init(
        title: String = "Buildmaster", titleURL: String = "http://localhost:8080/",
        buildbotURL: String = "http://localhost:8080/"
    ) {
        self.title = title
        self.titleURL = titleURL
        self.buildbotURL = buildbotURL
    }

    /// The URL of a build.
    package func url(ofBuild number: Int, builderID: Int) -> String {
        "\(buildbotURL)#/builders/\(builderID)/builds/\(number)"
    }

    /// The URL of a build request.
    package func url(ofRequest id: Int) -> String {
        "\(buildbotURL)#/buildrequests/\(id)"
    }
}

/// What a generator adds to what a formatter wants.
public struct ReportOptions: Sendable, Hashable {
    /// The modes by which the generator selected the event; formatters word their messages
    /// accordingly.
    public var modes: ReportModes
    /// The logs to include with their content, overriding the formatter's choice.
    public var logContents: BuildDetails.LogContents?
    /// Whether the report includes the source stamps' patches.
    public var addsPatches: Bool

    /// Creates options.
    public init(
        modes: ReportModes = .none, logContents: BuildDetails.LogContents? = nil,
        addsPatches: Bool = false
    ) {
        self.modes = modes
        self.logContents = logContents
        self.addsPatches = addsPatches
    }
}

extension Report {
    /// Creates the report for a topic.
    init(_ message: Message, about topic: ReportTopic, _ options: ReportOptions) {
        self.init(
            body: message.body, subject: message.subject?.onOneLine, results: topic.results,
            buildIDs: topic.builds.compactMap { $0["buildid"]?.intValue },
            builds: topic.builds, buildset: topic.buildset, users: topic.users,
            patches: options.addsPatches ? topic.patches : [],
            logs: topic.builds.flatMap(\.logsWithContent), extraInfo: message.extraInfo)
        secretMarks = message.secretMarks
    }
}

extension ReportTopic {
    fileprivate var patches: [JSONValue] {
        let stamps = buildset?["sourcestamps"]?.arrayValue ?? []
        return stamps.compactMap { $0["patch"] }.filter { !$0.isNull }
    }
}

extension JSONObject {
    /// The logs of the build's steps that include their content.
    fileprivate var logsWithContent: [JSONValue] {
        let steps = self["steps"]?.arrayValue ?? []
        return steps.flatMap { $0["logs"]?.arrayValue ?? [] }.filter { $0["content"] != nil }
    }
}

extension String {
    /// The string without line breaks, as required in headers and headings.
    fileprivate var onOneLine: String {
        guard contains(where: \.isNewline) else { return self }
        return split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension Report {
    /// Adds the report of another build of the same buildset.
    ///
    /// Strings and lists are concatenated; for any other body the first one is kept, as are the
    /// content type and each entry of the extra information. The result is the worst one, the
    /// subject that of its build, and users, patches, logs and builds are those of both.
    /// - Returns: Whether the body contains both; if not, the other report's body was omitted.
    @discardableResult
    package mutating func merge(_ other: Report) -> Bool {
        let isWorse = Results.worst(results, other.results) != results
        results = Results.worst(results, other.results)
        buildIDs += other.buildIDs
        builds += other.builds
        buildset = buildset ?? other.buildset
        users = Set(users + other.users).sorted()
        patches += other.patches.filter { !patches.contains($0) }
        logs += other.logs
        if inputs.isEmpty { inputs = other.inputs }
        guard other.body != .empty else { return true }
        guard body == .empty || body.kind == other.body.kind else { return false }
        subject = isWorse ? other.subject ?? subject : subject ?? other.subject
        for (name, info) in other.extraInfo { merge(info, into: name) }
        guard let merged = body.appending(other.body) else { return false }
        body = merged
        secretMarks.merge(other.secretMarks) { one, _ in one }
        return true
    }

    private mutating func merge(_ info: JSONValue, into name: String) {
        guard case .object(let theirs) = info, case .object(let ours)? = extraInfo[name] else {
            if extraInfo[name] == nil { extraInfo[name] = info }
            return
        }
        extraInfo[name] = .object(theirs.merging(ours))
    }
}

extension Report.Body {
    /// The body followed by another one, or `nil` if the two can't be combined.
    fileprivate func appending(_ other: Report.Body) -> Report.Body? {
        switch (self, other) {
        case (.empty, _): other
        case (_, .empty): self
        case (.text(let one, let contentType), .text(let two, _)):
            .text(one + two, contentType: contentType)
        case (.json(.string(let one)), .json(.string(let two))): .json(.string(one + two))
        case (.json(.array(let one)), .json(.array(let two))): .json(.array(one + two))
        case (.json(.null), .json): other
        case (.json, .json(.null)): self
        default: nil
        }
    }
}
