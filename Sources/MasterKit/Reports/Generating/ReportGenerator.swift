/// Turns events into reports: it picks the events and lets a formatter make the words.
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
///     func check(_ settings: SettingsCheck) {
///         filter.check(settings)
///     }
///
///     func generate(for event: Event, in context: ReportContext) async throws -> Report? {
///         guard filter.admits(event), event.property(property) != nil else { return nil }
///         return try await context.report(with: formatter)
///     }
/// }
/// ```
public protocol ReportGenerator: Plugin where Options == NoOptions {
    /// The kinds of events it is asked about.
    var wantedEvents: Set<EventKind> { get }

    /// Makes the report of an event, `nil` for none.
    ///
    /// Called for each wanted event; events of one build request come in order, one at a time.
    /// - Throws: An error with a sentence for people; the report is then kept as dead, with it.
    func generate(for event: Event, in context: ReportContext) async throws -> Report?
}

extension ReportGenerator {
    /// The namespace `generators`.
    public static var namespace: PluginNamespace { PluginKind.generators.namespace }
}

extension PluginKind<any ReportGenerator, NoOptions> {
    /// Report generators.
    public static var generators: Self { Self("generators") }
}

/// One report when a build starts and one when it ends, whatever the result.
///
/// What a reporter reports when neither the file nor the reporter says anything else.
public struct EveryBuildGenerator: ReportGenerator {
    /// What the generator does.
    public static let summary = "Reports every build when it starts and when it ends."

    /// Makes the generator.
    public init() {}

    /// The starts and ends of builds.
    public var wantedEvents: Set<EventKind> { [.buildNew, .buildFinished] }

    /// Reports the build as the reporter's own formatter makes it.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        try await context.report()
    }
}

/// What looks up records for reports: the store, or a stand-in in tests.
public protocol ReportSource: Sendable {
    /// The steps of a build, in order, with their logs and the content of these when wanted.
    ///
    /// - Parameters:
    ///   - build: The record of the build.
    ///   - details: Whether and which logs come with the steps.
    /// - Returns: The records of the steps.
    /// - Throws: What the store says.
    func steps(of build: JSONObject, with details: BuildDetails) async throws -> [JSONValue]

    /// The ends of the builds of a finished buildset, each as the event that told of it; of a
    /// build that was tried again only the last try.
    func ends(ofBuildset id: Int) async throws -> [Event]

    /// The result of a build, `nil` while it runs or when it is not known.
    func results(ofBuild id: Int) async throws -> Results?

    /// The results of a step of a build, or `nil` if it is unfinished or there is no such step.
    func results(ofStep name: String, inBuild id: Int) async throws -> Results?
}
