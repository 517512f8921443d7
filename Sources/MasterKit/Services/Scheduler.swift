public import FoundationEssentials

/// A plugin that decides when a master that stays up builds its builders.
///
/// ```swift
/// /// Builds after a pause.
/// struct Later: Scheduler {
///     static let summary = "Builds some time after the master has started."
///
///     @Setting("How long it waits.") var after: Duration
///
///     func run(in context: SchedulerContext) async throws {
///         try await context.sleep(until: context.now.addingTimeInterval(after / .seconds(1)))
///         try await context.submit(reason: "waited for \(after)")
///     }
/// }
/// ```
///
/// In a file it is listed under `schedulers` as `schedulers.Later`.
public protocol Scheduler: Plugin where Options == SchedulerOptions {
    /// The kinds of events delivered in ``SchedulerContext/events``; none by default.
    var wantedEvents: Set<EventKind> { get }

    /// The schedulers whose buildsets it follows; none by default. A cycle is an error of the file.
    var upstreams: [SchedulerReference] { get }

    /// Runs until the master shuts down or the scheduler has nothing more to do, in the same way as
    /// ``MasterService/run(in:)``; by default, returns immediately. Never called under `run`.
    func run(in context: SchedulerContext) async throws
}

extension Scheduler {
    /// The namespace `schedulers`.
    public static var namespace: PluginNamespace { PluginKind.schedulers.namespace }

    /// No events.
    public var wantedEvents: Set<EventKind> { [] }

    /// No schedulers.
    public var upstreams: [SchedulerReference] { [] }

    /// Does nothing: something else triggers the builds.
    public func run(in context: SchedulerContext) async throws {}
}

/// A scheduler whose builds are triggered by a step of another build, also under `run`.
public protocol TriggeredScheduler: Scheduler {}

/// A scheduler whose builds are requested by a person, with values for its parameters.
public protocol ForcedScheduler: Scheduler {
    /// The properties that the person can set.
    var parameters: [ForceParameter] { get }

    /// The title of its form; `nil`, the default, for its name.
    var formTitle: String? { get }

    /// The text of the button that opens the form; `nil`, the default, for its name.
    var buttonText: String? { get }

    /// The field for the name of a person who has not logged in.
    var userField: ForceParameter { get }

    /// The field for the reason.
    var reasonField: ForceParameter { get }

    /// The reason of the builds, in which `%(owner)s` and `%(reason)s` stand for the person and for
    /// what is entered.
    var reasonFormat: String { get }

    /// The sources that are built; by default one without a name.
    var codebases: [ForceCodebase] { get }
}

extension ForcedScheduler {
    /// The name of the scheduler.
    public var formTitle: String? { nil }

    /// The name of the scheduler.
    public var buttonText: String? { nil }

    /// A text, which may be empty.
    public var userField: ForceParameter { .standardUser }

    /// A text that is `force build` by default.
    public var reasonField: ForceParameter { .standardReason }

    /// A sentence with both.
    public var reasonFormat: String { "A build was forced by '%(owner)s': %(reason)s" }

    /// One without a name.
    public var codebases: [ForceCodebase] { [.unnamed] }
}

extension ForceParameter {
    /// The field for the name of a person.
    public static let standardUser: ForceParameter = {
        var field = ForceParameter(.user, "username", label: "Your name:")
        field.size = (30, 1)
        return field
    }()

    /// The field for the reason.
    public static let standardReason: ForceParameter = {
        var field = ForceParameter(.string, "reason")
        field.fallback = "force build"
        field.size = (20, 1)
        return field
    }()
}

/// The settings common to all schedulers.
public struct SchedulerOptions: SettingHints {
    /// The name, unique in a master.
    @Setting("The scheduler's name, unique in a master.", .notEmpty)
    public var name: String

    /// The builders that it builds.
    @Setting("The builders that it builds.", .notEmpty)
    public var builderNames: [BuilderReference]

    /// Properties of its builds.
    @Setting("Properties of its builds.")
    public var properties = JSONObject()

    /// The priority of its builds.
    @Setting("The priority of its builds; higher ones are built first.")
    public var priority = 0

    /// The reason for its builds.
    @Setting("The reason for its builds; by default one that names the scheduler.", .notEmpty)
    public var reason: String?

    /// Creates the options with their defaults.
    public init() {}

    /// Warns of properties that every build sets itself.
    public func check(_ settings: SettingsCheck) {
        Properties.warnOfFixed(properties, in: settings)
    }

    /// A hint for a setting that needs changes.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "onlyIfChanged":
            "only schedulers.Nightly and schedulers.Periodic have it; remove it"
        case "treeStableTimer", "categories":
            "only schedulers.SingleBranchScheduler and schedulers.AnyBranchScheduler have it; "
                + "remove it"
        case "change_filter", "fileIsImportant", "onlyImportant", "createAbsoluteSourceStamps":
            "it builds regardless of changes; remove it"
        case "branch": "select branches in schedulers that follow changes; remove it"
        case "branches": "write 'branches' in a schedulers.AnyBranchScheduler"
        case "paths", "files", "paths-ignore":
            "write 'fileIsImportant', with 'include' and 'exclude'"
        case "codebases": "each codebase of the changes is built; remove it"
        case "builders", "builder", "builderName": "write 'builderNames'"
        default: nil
        }
    }
}

/// A scheduler as master.yaml declares it.
package typealias SchedulerDeclaration = PluginDeclaration<any Scheduler, SchedulerOptions>

extension PluginDeclaration where P == any Scheduler, Options == SchedulerOptions {
    /// The name, unique among schedulers.
    package var name: String { options.name }

    /// Completes a request for its builds. Its own properties replace those of the request.
    package func completing(_ wanted: BuildsetRequest) -> BuildsetRequest {
        var request = wanted
        request.scheduler = nil
        request.builders = options.builderNames.map(\.name)
        request.priority = options.priority
        request.reason = options.reason ?? wanted.reason
        for (name, value) in options.properties {
            request.properties.set(name, value, source: "Scheduler")
        }
        request.properties.set("scheduler", .string(name), source: "Scheduler")
        return request
    }

    /// The reason of builds if neither the file nor whoever starts them gives one.
    package var standardReason: String {
        "The \(key.name) scheduler named '\(name)' triggered this build"
    }
}

extension PluginKind<any Scheduler, SchedulerOptions> {
    /// The plugin kind for schedulers.
    public static var schedulers: Self { Self("schedulers", scope: .service) }
}

/// The interface of a running scheduler to time, builds and its state.
public struct SchedulerContext: Sendable {
    private let service: ServiceContext
    private let declaration: SchedulerDeclaration

    package init(_ service: ServiceContext, _ declaration: SchedulerDeclaration) {
        self.service = service
        self.declaration = declaration
    }

    /// The scheduler's name.
    public var name: String { declaration.name }
    /// The scheduler's logger; messages are masked.
    public var logger: Logger { service.logger }
    /// The wanted events, as in ``ServiceContext/events``.
    public var events: EventSubscription { service.events }
    /// The current time.
    public var now: Date { service.now }
    /// Replaces secrets in everything that is displayed or stored.
    public var mask: SecretMask { service.mask }

    /// What keeps the scheduler from its work, as ``ServiceContext/problem``.
    public var problem: String? {
        get { service.problem }
        nonmutating set { service.problem = newValue }
    }

    /// Computes the value of a setting; it can refer only to secrets.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>
    ) throws(RenderError) -> Value {
        try service.render(setting)
    }

    /// Computes the value of an optional setting, or `nil` if it was omitted.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>?
    ) throws(RenderError) -> Value? {
        try service.render(setting)
    }

    /// Waits until a time; returns immediately if it has passed.
    ///
    /// - Throws: `CancellationError` if the scheduler should end.
    public func sleep(until moment: Date) async throws {
        try await service.sleep(until: moment)
    }

    /// Suspends for a duration.
    ///
    /// - Throws: `CancellationError` if the scheduler should end.
    public func sleep(for duration: Duration) async throws {
        try await service.sleep(for: duration)
    }

    /// Sends an HTTP request using the scheduler's session.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        try await service.send(request)
    }

    /// The state last saved by the scheduler, in this run or an earlier one, or `nil` if none.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func state() async throws -> JSONValue? { try await service.state() }

    /// Saves a state for ``state()``, under the scheduler's name.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func save(_ state: JSONValue) async throws { try await service.save(state) }

    /// Submits a buildset of the scheduler's builders, with its properties and priority.
    ///
    /// If somebody has disabled the scheduler, the state is stored but nothing is built: the
    /// submission has no requests.
    ///
    /// - Parameters:
    ///   - reason: The reason, unless the file gives another; `nil` for one that names the
    ///     scheduler.
    ///   - sourceStamps: The sources to build.
    ///   - changes: The stored changes that the builds are made for. Their properties override
    ///     those of the scheduler.
    ///   - state: A state to store in the same transaction, so that after a crash nothing is
    ///     built twice or forgotten; `nil` leaves the state unchanged.
    /// - Returns: The buildset with its requests.
    /// - Throws: An error whose description can be shown to the user.
    @discardableResult
    public func submit(
        reason: String? = nil, sourceStamps: [SourceStamp] = [SourceStamp()],
        changes: [Change] = [], saving state: JSONValue? = nil
    ) async throws -> Submission {
        var request = BuildsetRequest(
            reason: reason ?? declaration.standardReason, sourceStamps: sourceStamps)
        request.changes = changes
        return try await service.submit(declaration.completing(request), saving: state)
    }

    /// The changes after an id, oldest first; at most 100, so ask again after the last one.
    ///
    /// A scheduler that follows changes wants ``EventKind/changeNew`` only to know when to ask, and
    /// saves the id of the last change that it has seen. On its first start it begins with
    /// ``newestChangeID()``.
    ///
    /// A janitor keeps old changes that a scheduler still needs if its state tells of them: under
    /// `seen` the last change that it has seen, and in the elements of `collected`, under `changes`,
    /// the ids of those that it is going to build.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func changes(after id: Int) async throws -> [Change] {
        try await service.changes(after: id, limit: 100)
    }

    /// The changes with ids, oldest first; those that are no longer stored are left out.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func changes(_ ids: [Int]) async throws -> [Change] {
        try await service.changes(ids)
    }

    /// The id of the newest change, or 0 if there is none.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func newestChangeID() async throws -> Int { try await service.newestChangeID() }

    /// Whether the scheduler may build: nobody has disabled it. A change of that is an
    /// ``EventKind/schedulerUpdated``.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func isEnabled() async throws -> Bool { try await service.isEnabled() }

    /// The buildsets of a scheduler, oldest first.
    ///
    /// - Parameters:
    ///   - scheduler: The name of the scheduler.
    ///   - id: The id of the first buildset to return, if it is one of that scheduler.
    ///   - earlier: The ids of earlier ones to return as well, such as those that had not ended.
    /// - Returns: The buildsets, finished or not.
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func buildsets(
        of scheduler: String, from id: Int, and earlier: [Int] = []
    ) async throws -> [ScheduledBuildset] {
        try await service.buildsets(of: scheduler, from: id, and: earlier)
    }
}

/// A buildset that a scheduler has submitted.
public struct ScheduledBuildset: Sendable, Hashable {
    /// The id, `bsid` in records.
    public let id: Int
    /// The worst result of its builds, or `nil` until all have ended; skipped if all of them were.
    public let results: Results?
    /// The sources that it builds.
    public let sourceStamps: [SourceStamp]
    /// The ids of the changes that it is made of, with those of collapsed requests that it is built
    /// in place of.
    public let changeIDs: [Int]

    /// Creates a buildset, for tests of schedulers that follow others.
    public init(
        id: Int, results: Results?, sourceStamps: [SourceStamp] = [SourceStamp()],
        changeIDs: [Int] = []
    ) {
        self.id = id
        self.results = results
        self.sourceStamps = sourceStamps
        self.changeIDs = changeIDs
    }
}

/// The name of a scheduler in a setting. A name that the file does not declare is an error.
public struct SchedulerReference: SettingValue, Hashable {
    /// The name.
    public let name: String
    /// The location of the name.
    public let range: SourceRange?

    /// A description of the accepted values, for error messages.
    public static var shape: String { "the name of a scheduler" }

    /// A text.
    public static var form: ValueForm { .text }

    /// Reads a name.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> SchedulerReference? {
        guard case .scalar = node.kind, let name = decoder.decode(String.self, from: node),
            !name.isEmpty
        else { return decoder.mismatch(node, expected: shape) }
        let reference = SchedulerReference(name: name, range: node.range ?? decoder.insertion)
        decoder.note(reference)
        return reference
    }
}
