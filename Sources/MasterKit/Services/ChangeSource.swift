public import FoundationEssentials

/// A plugin that finds changes to the sources, such as new commits of a repository.
///
/// ```swift
/// /// Notices a new release.
/// struct Release: ChangeSource {
///     static let summary = "Notices a new release."
///
///     @Setting("The address of a text with the version.", .primary) var url: Renderable<HTTPAddress>
///
///     func run(in context: ChangeSourceContext) async throws {
///         while true {
///             let answer = try await context.send(HTTPRequest(.get, try context.render(url)))
///             let version = JSONValue.string(answer.text)
///             if answer.isSuccess, try await context.state() != version {
///                 let change = Change(
///                     author: "releases", comments: "version \(answer.text)",
///                     sourceStamp: SourceStamp(revision: answer.text), when: context.now)
///                 try await context.addChanges([change], saving: version)
///             }
///             try await context.sleep(for: .seconds(600))
///         }
///     }
/// }
/// ```
///
/// In a file it is listed under `change_source` as `changes.Release`.
public protocol ChangeSource: Plugin where Options == ChangeSourceOptions {
    /// Its name if the file gives none, such as the address of a repository; `nil`, the default,
    /// for the plugin's name.
    var standardName: String? { get }

    /// Runs until the master shuts down, in the same way as ``MasterService/run(in:)``: it is
    /// cancelled then, and restarted after a pause if it throws. Never called under `run`.
    func run(in context: ChangeSourceContext) async throws
}

extension ChangeSource {
    /// The namespace `changes`.
    public static var namespace: PluginNamespace { PluginKind.changes.namespace }

    /// The plugin's name.
    public var standardName: String? { nil }
}

/// The settings common to all change sources.
public struct ChangeSourceOptions: SettingHints {
    /// The name, unique among change sources.
    @Setting(
        "The source's name, unique in a master; by default one that the source chooses.", .notEmpty)
    public var name: String?

    /// The category of its changes.
    @Setting("The category of its changes, by which schedulers can select them.", .notEmpty)
    public var category: String?

    /// The project of its changes.
    @Setting("The project of its changes.")
    public var project = ""

    /// The codebase of its changes.
    @Setting("The codebase of its changes.")
    public var codebase = ""

    /// Creates the options with their defaults.
    public init() {}

    /// A hint for settings of Buildbot's sources.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "pollinterval", "poll_interval": "write 'pollInterval'"
        case "categories": "write 'category'"
        default: nil
        }
    }
}

/// A change source as master.yaml declares it.
package typealias ChangeSourceDeclaration = PluginDeclaration<
    any ChangeSource, ChangeSourceOptions
>

extension PluginDeclaration where P == any ChangeSource, Options == ChangeSourceOptions {
    /// The name, unique among change sources.
    package var name: String { options.name ?? plugin.standardName ?? key.name }
}

extension PluginKind<any ChangeSource, ChangeSourceOptions> {
    /// The plugin kind for change sources.
    public static var changes: Self { Self("changes", scope: .service) }
}

/// The master's machine, as a change source may use it.
package struct SourceMachine: Sendable {
    /// Runs commands.
    package let worker: any Worker
    /// The source's own folder, absolute; it need not exist.
    package let folder: String
    /// The folder of master.yaml.
    package let masterFolder: String

    package init(worker: any Worker, folder: String, masterFolder: String) {
        self.worker = worker
        self.folder = folder
        self.masterFolder = masterFolder
    }
}

/// The interface of a running change source to time, HTTP, commands and its state.
public struct ChangeSourceContext: Sendable {
    private let service: ServiceContext
    private let options: ChangeSourceOptions
    private let machine: SourceMachine

    package init(
        _ service: ServiceContext, _ options: ChangeSourceOptions, on machine: SourceMachine
    ) {
        self.service = service
        self.options = options
        self.machine = machine
    }

    /// The source's name in this master.
    public var name: String { service.name }
    /// The source's logger; messages are masked.
    public var logger: Logger { service.logger }
    /// The current time.
    public var now: Date { service.now }
    /// Replaces secrets in everything that is displayed or stored.
    public var mask: SecretMask { service.mask }
    /// The folder of master.yaml, absolute.
    public var masterFolder: String { machine.masterFolder }
    /// A folder in the master's base folder for this source alone, absolute; it need not exist.
    public var folder: String { machine.folder }

    /// What keeps the source from finding changes, as ``ServiceContext/problem``.
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
    /// - Throws: `CancellationError` if the source should end.
    public func sleep(until moment: Date) async throws {
        try await service.sleep(until: moment)
    }

    /// Suspends for a duration.
    ///
    /// - Throws: `CancellationError` if the source should end.
    public func sleep(for duration: Duration) async throws {
        try await service.sleep(until: now.addingTimeInterval(duration / .seconds(1)))
    }

    /// Adds changes to the sources, oldest first, for the schedulers that follow them.
    ///
    /// The category, project and codebase of the source are those of changes that have none.
    ///
    /// - Parameters:
    ///   - changes: The changes; without any, only the state is stored.
    ///   - state: A state to store in the same transaction, so that after a crash no change is
    ///     added twice or forgotten; `nil` leaves the state unchanged.
    /// - Returns: The changes with their ids; secrets in them are replaced.
    /// - Throws: An error whose description can be shown to the user: the properties of a change
    ///   are too large, or the store failed.
    @discardableResult
    public func addChanges(
        _ changes: [Change], saving state: JSONValue? = nil
    ) async throws -> [Change] {
        let completed = changes.map { change in
            var change = change
            change.category = change.category ?? options.category
            if change.project.isEmpty { change.sourceStamp.project = options.project }
            if change.codebase.isEmpty { change.sourceStamp.codebase = options.codebase }
            return change
        }
        return try await service.addChanges(completed, saving: state)
    }

    /// The state last saved by the source, in this run or an earlier one, or `nil` if none.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func state() async throws -> JSONValue? { try await service.state() }

    /// Saves a state for ``state()``, under the source's name.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func save(_ state: JSONValue) async throws { try await service.save(state) }

    /// Sends an HTTP request using the source's session.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        try await service.send(request)
    }

    /// Runs a command on the master's machine.
    ///
    /// - Parameters:
    ///   - command: What to run; relative paths refer to ``folder``, and outside of it nothing is
    ///     deleted or overwritten.
    ///   - input: The bytes that `downloadFile` writes.
    ///   - updates: Called for each update, in order; the command waits for it.
    /// - Returns: How the command ended.
    /// - Throws: ``CommandError`` if it could not be run, or any error thrown by `updates`.
    public func run(
        _ command: Command, input: CommandInput = .nothing,
        updates: (CommandUpdate) async throws -> Void = { _ in }
    ) async throws -> CommandResult {
        try await machine.worker.run(
            command.resolved(in: machine.folder), input: input, updates: updates)
    }
}
