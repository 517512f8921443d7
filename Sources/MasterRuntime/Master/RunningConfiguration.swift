internal import MasterKit
internal import Synchronization

/// The configuration in force, and earlier ones that running builds still use.
///
/// It ensures that each plugin is started before it is used, and stopped once neither the current
/// configuration nor a build uses it.
final class RunningConfiguration: Sendable {
    private struct State {
        var current: BuildEnvironment
        /// The environments of running builds by number, with the number of builds that use each.
        var used: [Int: (environment: BuildEnvironment, builds: Int)] = [:]
        var isChanging = false
        /// The configuration before, while its services end.
        var leaving: BuildEnvironment?
    }

    private let state: Mutex<State>
    private let plugins: PluginLifetime

    /// Begins with a configuration.
    ///
    /// - Parameters:
    ///   - first: The configuration.
    ///   - clock: What measures how long plugins take to start and to stop.
    init(_ first: BuildEnvironment, clock: any Clock<Duration> = ContinuousClock()) {
        state = Mutex(State(current: first))
        plugins = PluginLifetime(clock: clock) { [logger = first.logger] in logger.warning("\($0)")
        }
    }

    /// The environment of builds that begin now.
    var current: BuildEnvironment { state.withLock(\.current) }

    // MARK: Plugins

    /// Runs a closure with all plugins started.
    func withPlugins<Value>(_ body: () async throws -> Value) async throws -> Value {
        try await plugins.run(current.configuration.instances, body)
    }

    // MARK: Builds

    /// Registers a build that uses a configuration.
    ///
    /// - Returns: Whether it may; not if another configuration is in force by now.
    func beginBuild(with environment: BuildEnvironment) -> Bool {
        state.withLock { state in
            guard state.current.number == environment.number else { return false }
            state.used[environment.number, default: (environment, 0)].builds += 1
            return true
        }
    }

    /// Unregisters a build that used a configuration.
    func endBuild(with environment: BuildEnvironment) async {
        let isUnused = state.withLock { state in
            state.used[environment.number]?.builds -= 1
            guard state.used[environment.number]?.builds == 0 else { return false }
            state.used[environment.number] = nil
            return state.current.number != environment.number
        }
        if isUnused { await retire(environment) }
    }

    // MARK: Change

    /// Switches to another configuration.
    ///
    /// - Parameters:
    ///   - wanted: The new configuration; unchanged declarations keep their plugins.
    ///   - secrets: The values of its secrets.
    ///   - handOver: Makes the changes that can fail; if it throws, it must have changed nothing.
    ///   - settle: Makes the remaining changes, once the configuration is in force.
    /// - Returns: What has changed.
    /// - Throws: ``MasterError`` if a plugin cannot start, or another change is running; and what
    ///   `handOver` throws.
    func change(
        to wanted: MasterConfiguration, _ secrets: SecretValues,
        _ handOver: (BuildEnvironment) async throws -> Void,
        settle: (BuildEnvironment) async -> Void
    ) async throws -> ConfigurationChanges {
        let old = try beginChange()
        defer { state.withLock { $0.isChanging = false } }
        let configuration = wanted.keepingPlugins(of: old.configuration)
        let next = old.following(configuration, secrets.following(old.secrets))
        let fresh = try await plugins.start(configuration.instances)
        do {
            try await handOver(next)
        } catch {
            await plugins.stop(fresh)
            throw error
        }
        state.withLock { state in
            state.current = next
            state.leaving = old
        }
        await settle(next)
        state.withLock { $0.leaving = nil }
        await retire(old)
        var changes = ConfigurationChanges(from: old.configuration, to: configuration)
        if configuration.durability != old.store.writer.durability {
            changes.afterRestart = ["delivery.durability"]
        }
        return changes
    }

    private func beginChange() throws(MasterError) -> BuildEnvironment {
        let current: BuildEnvironment? = state.withLock { state in
            guard !state.isChanging else { return nil }
            state.isChanging = true
            return state.current
        }
        guard let current else {
            throw MasterError(
                .busy, "another reconfiguration is running; try again when it is done")
        }
        return current
    }

    /// Stops the plugins of a configuration that is no longer in force, unless they are still in
    /// use.
    private func retire(_ environment: BuildEnvironment) async {
        let used = state.withLock { state in
            state.current.configuration.instances
                + (state.leaving?.configuration.instances ?? [])
                + state.used.values.flatMap(\.environment.configuration.instancesOfSteps)
        }
        let ids = Set(used.map(ObjectIdentifier.init))
        await plugins.stop(
            environment.configuration.instances.filter { !ids.contains(ObjectIdentifier($0)) })
    }
}

/// The changes of a reconfiguration, by name.
package struct ConfigurationChanges: Sendable, Hashable {
    /// What has become of the declarations of one kind, in the order of the files.
    package struct Names: Sendable, Hashable {
        /// The new ones.
        package var added: [String] = []
        /// Those whose declarations have changed.
        package var changed: [String] = []
        /// Those that were removed.
        package var removed: [String] = []
        /// Those that are as before.
        package var unchanged: [String] = []
    }

    /// The builders.
    package var builders = Names()
    /// The reporters.
    package var reporters = Names()
    /// The other services.
    package var services = Names()
    /// The change sources.
    package var changeSources = Names()
    /// The schedulers.
    package var schedulers = Names()
    /// The web page.
    package var web = Names()
    /// The workers.
    package var workers = Names()
    /// The settings at the top level that apply to more than one of these.
    package var settings = Names()
    /// How many pending requests were cancelled with a builder that was removed, by its name.
    package var cancelledRequests: [String: Int] = [:]
    /// How many changes schedulers that were removed had collected for a build, by their names.
    package var forgottenChanges: [String: Int] = [:]
    /// The settings whose new values apply only after the master is restarted.
    package var afterRestart: [String] = []

    init() {}

    init(from old: MasterConfiguration, to new: MasterConfiguration) {
        let filesAreEqual = old.textsOfFiles == new.textsOfFiles
        builders = Names(Array(old.builders), Array(new.builders), \.name) {
            $0.isEqual(to: $1, filesAreEqual: filesAreEqual)
        }
        reporters = Names(old.reporters, new.reporters, \.name) { $0.isSame(as: $1) }
        services = Names(old.services, new.services, \.name) { $0.isSame(as: $1) }
        changeSources = Names(old.changeSources, new.changeSources, \.name) {
            $0.isSame(as: $1)
        }
        schedulers = Names(old.schedulers, new.schedulers, \.name) { $0.isSame(as: $1) }
        workers = Names(old.workers ?? [], new.workers ?? [], \.name) { $0.isSame(as: $1) }
        web = Names(
            [old.webNode].compactMap(\.self), [new.webNode].compactMap(\.self),
            { (_: YAMLNode) in "www" }
        ) { (one: YAMLNode, other: YAMLNode) in
            one == other && old.identity.buildbotURL == new.identity.buildbotURL
        }
        settings.changed = [
            ("title", old.identity.title == new.identity.title),
            ("titleURL", old.identity.ownTitleURL == new.identity.ownTitleURL),
            (
                // With a web page, that one has changed.
                "buildbotURL",
                old.identity.buildbotURL == new.identity.buildbotURL || new.webNode != nil
            ),
            ("properties", old.properties == new.properties),
            ("secrets", old.secretProviders.map(\.node) == new.secretProviders.map(\.node)),
            ("locks", old.locks == new.locks),
            ("httpSession", old.httpSession == new.httpSession),
            ("delivery", old.deliveryBounds == new.deliveryBounds),
            ("protocols", old.endpoint == new.endpoint),
            ("janitor", old.janitor == new.janitor),
        ].filter { !$0.1 }.map(\.0)
    }
}

extension MasterIdentity {
    /// The URL that the title links to, or `nil` for that of the master.
    fileprivate var ownTitleURL: String? { titleURL == buildbotURL ? nil : titleURL }
}

extension ConfigurationChanges.Names {
    init<Declaration>(
        _ old: [Declaration], _ new: [Declaration], _ name: (Declaration) -> String,
        isSame: (Declaration, Declaration) -> Bool
    ) {
        let before = Dictionary(old.map { (name($0), $0) }, uniquingKeysWith: { $1 })
        for declaration in new {
            let name = name(declaration)
            guard let earlier = before[name] else {
                added.append(name)
                continue
            }
            if isSame(earlier, declaration) {
                unchanged.append(name)
            } else {
                changed.append(name)
            }
        }
        let names = Set(new.map(name))
        removed = old.map(name).filter { !names.contains($0) }
    }
}

extension BuilderConfiguration {
    /// Whether another builder builds the same way.
    func isEqual(to other: BuilderConfiguration, filesAreEqual: Bool) -> Bool {
        steps.count == other.steps.count
            && zip(steps, other.steps).allSatisfy {
                $0.isEqual(to: $1, filesAreEqual: filesAreEqual)
            }
            && description == other.description && tags == other.tags
            && properties == other.properties && isTriggeredOnly == other.isTriggeredOnly
            && workerNames == other.workerNames && nextWorker == other.nextWorker
            && needs == other.needs && locks == other.locks
            && collapsesRequests == other.collapsesRequests && factory == other.factory
            && choices == other.choices && axes == other.axes
            && computedSettings == other.computedSettings
    }
}

extension MasterConfiguration {
    /// A copy that keeps the plugins of another configuration where the declarations are equal.
    func keepingPlugins(of old: MasterConfiguration) -> MasterConfiguration {
        let filesAreEqual = textsOfFiles == old.textsOfFiles
        var configuration = self
        func kept<P, Options>(
            _ new: [PluginDeclaration<P, Options>], _ old: [PluginDeclaration<P, Options>],
            _ name: (PluginDeclaration<P, Options>) -> String
        ) -> [PluginDeclaration<P, Options>] {
            new.map { new in
                old.first {
                    name($0) == name(new) && $0.isEqual(to: new, filesAreEqual: filesAreEqual)
                } ?? new
            }
        }
        configuration.reporters = kept(reporters, old.reporters, \.name)
        configuration.services = kept(services, old.services, \.name)
        configuration.changeSources = kept(changeSources, old.changeSources, \.name)
        configuration.schedulers = kept(schedulers, old.schedulers, \.name)
        configuration.workers = workers.map { kept($0, old.workers ?? [], \.name) }
        return configuration
    }
}

/// Starts plugins before they are used and stops them afterwards.
///
/// One that takes too long is cancelled and left behind, so that it holds up nothing else.
final class PluginLifetime: Sendable {
    /// How long a plugin may take to start.
    static let startLimit: Duration = .seconds(60)
    /// How long a plugin may take to stop.
    static let stopLimit: Duration = .seconds(10)

    private struct State {
        var alive: [PluginInstance] = []
        var ids: Set<ObjectIdentifier> = []
    }

    private let state = Mutex(State())
    private let clock: ElapsedClock
    private let warn: @Sendable (String) -> Void

    /// Starts nothing yet.
    ///
    /// - Parameters:
    ///   - clock: What measures how long plugins take.
    ///   - warn: Hears of plugins that could not be stopped.
    init(
        clock: any Clock<Duration> = ContinuousClock(), warn: @escaping @Sendable (String) -> Void
    ) {
        self.clock = ElapsedClock(clock)
        self.warn = warn
    }

    /// Runs a closure with plugins started, and stops all plugins afterwards.
    func run<Value>(
        _ instances: [PluginInstance], _ body: () async throws -> Value
    ) async throws -> Value {
        _ = try await start(instances)
        do {
            let value = try await body()
            await stopAll()
            return value
        } catch {
            await stopAll()
            throw error
        }
    }

    /// Starts plugins in order, except for those already started.
    ///
    /// - Returns: The plugins that were started.
    /// - Throws: ``MasterError`` if one cannot start; it and those started before it are stopped
    ///   again.
    func start(_ instances: [PluginInstance]) async throws(MasterError) -> [PluginInstance] {
        var ids = state.withLock(\.ids)
        let new = instances.filter { ids.insert(ObjectIdentifier($0)).inserted }
        let failure = await PluginCall.each(new, on: clock, within: Self.startLimit) { instance in
            self.state.withLock { state in
                state.ids.insert(ObjectIdentifier(instance))
                state.alive.append(instance)
            }
            try await instance.plugin.start()
        }
        if let failure {
            await stop(Array(new[...failure.index]))
            let culprit = new[failure.index]
            let place = culprit.range.map { " in line \($0.start.line)" } ?? ""
            throw MasterError(
                .plugin, "\(culprit.key)\(place) could not start: \(failure.error)")
        }
        return new
    }

    /// Stops plugins in reverse order of their start.
    func stop(_ instances: [PluginInstance]) async {
        let ids = Set(instances.map(ObjectIdentifier.init))
        let stopped = state.withLock { state in
            let stopped = state.alive.filter { ids.contains(ObjectIdentifier($0)) }
            state.alive.removeAll { ids.contains(ObjectIdentifier($0)) }
            state.ids.subtract(ids)
            return stopped
        }
        // Also in a task that was cancelled, they have their time to stop.
        await Task { [clock, warn] in
            var rest = Array(stopped.reversed())
            while let failure = await PluginCall.each(
                rest, on: clock, within: Self.stopLimit, { await $0.plugin.stop() })
            {
                warn("\(rest[failure.index].key) could not be stopped: \(failure.error)")
                rest.removeFirst(failure.index + 1)
            }
        }.value
    }

    private func stopAll() async {
        await stop(state.withLock(\.alive))
    }
}
