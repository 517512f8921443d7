package import MasterKit

/// The top level of a master.yaml.
struct MasterSettings: Settings {
    @Setting("The name of the master.", .notEmpty) var title = "Buildmaster"
    @Setting("The address that the title links to.") var titleURL: HTTPAddress?
    @Setting("The address of the master, for links in reports.")
    var buildbotURL: HTTPAddress?
    @Setting("Properties of every build.") var properties = PropertyValues()
    @Setting("Providers of secrets, asked in order.", declarations: .secrets)
    var secrets: [SecretProviderDeclaration]?
    @Setting("Packages and libraries of plugins to load.") var plugins: PluginPackages?
    @Setting("Reporters and other services.") var services = ServiceList()
    @Setting("What notices changes to the sources: one, or a list.", .named("change_source"))
    var changeSources: ChangeSourceList?
    @Setting("What starts builds by itself.", declarations: .schedulers)
    var schedulers: [SchedulerDeclaration]?
    @Setting("The default build factory: a list of steps.", declarations: .steps)
    var steps: [StepDeclaration]?
    @Setting("Build factories by name.") var factories = FactoryTable()
    @Setting("Builders.", .notEmpty) var builders: BuilderList?
    @Setting("How workers connect.") var protocols: ProtocolSettings?
    @Setting("Pending requests that ask for the same are built once, with the newest sources.")
    var collapseRequests = true
    @Setting("Workers: machines that build; by default the master's own.", declarations: .workers)
    var workers: [WorkerDeclaration]?
    @Setting("Locks by name.") var locks: LockDeclarations?
    @Setting("Who shares cookies: the steps of a 'build', or all builds ('shared').")
    var httpSession = HTTPSessionSharing.build
    @Setting("How reports are kept.") var delivery = DeliverySettings()
    @Setting("How long a master that stays up keeps builds, logs and changes; by default for ever.")
    var janitor: JanitorSettings?
    @Setting("The web page and the REST data API of a master that stays up.") var www: WebSettings?
}

extension MasterConfiguration {
    /// The settings of a whole file, for schemas.
    package static var settingDescriptions: [SettingDescription] { MasterSettings.descriptions }
}

extension MasterSettings: SettingHints {
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "reporters", "status": "write the reporters in 'services'"
        case "secretsProviders", "secretProviders", "secrets_providers": "write 'secrets'"
        case "jobs", "script", "stages", "tasks": "write 'steps', or 'builders' with 'steps'"
        case "env", "environment": "write 'env' in each builder"
        case "variables", "vars": "write 'properties'"
        case "name": "write 'title'"
        case "on", "triggers": "write 'schedulers', and 'change_source' for pushes"
        case "concurrency": "write 'locks'"
        case "buildbotUrl", "buildbotURl": "write 'buildbotURL'"
        case "change_sources", "changeSource", "changes": "write 'change_source'"
        case "slaves", "agents", "runners", "nodes": "write 'workers'"
        default: hint(forBuildbots: name)
        }
    }

    /// What has another name or place than in a master.cfg of Buildbot.
    private static func hint(forBuildbots name: String) -> String? {
        switch name {
        case "projectName": "write 'title'"
        case "projectURL": "write 'titleURL'"
        case "mergeRequests": "write 'collapseRequests'"
        case "slavePortnum": "write 'protocols: {msgpack: {port: …}}'"
        case "buildHorizon", "eventHorizon": "write 'janitor: {keepBuilds: …}'"
        case "logHorizon": "write 'janitor: {keepLogs: …}'"
        case "changeHorizon": "write 'janitor: {keepChanges: …}'"
        case "configurators": "write 'janitor: {keepLogs: …, keepBuilds: …}'"
        case "logMaxSize", "logMaxTailSize": "write 'max_log_size' in the steps that need it"
        case "logEncoding": "write it in the steps that need it"
        case "codebaseGenerator": "write 'codebase' in each change source"
        case "prioritizeBuilders": "write 'priority' in the schedulers"
        case "db", "db_url": "builds are stored in the folder of '--basedir'; remove it"
        case "buildbotNetUsageData", "caches", "changeCacheSize", "buildCacheSize", "validation",
            "metrics", "multiMaster", "mq", "manhole", "debugPassword", "user_managers", "revlink",
            "projects", "logCompressionMethod", "logCompressionLimit":
            "this version does not have it; remove it"
        default: nil
        }
    }
}

/// `change_source`: one change source, or a list of them.
struct ChangeSourceList: SettingValue {
    var sources: [ChangeSourceDeclaration] = []

    static var shape: String { "a change source such as changes.GitPoller, or a list of them" }

    static var form: ValueForm {
        let plugin = ValueForm.plugin(PluginKind.changes.namespace)
        return .either([plugin, .list(of: plugin)])
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ChangeSourceList? {
        guard case .sequence = node.kind else {
            return decoder.plugin(.changes, from: node).map { ChangeSourceList(sources: [$0]) }
        }
        return decoder.plugins(.changes, from: node).map { ChangeSourceList(sources: $0) }
    }
}

/// `builders`: each decoded separately, so that one mistake does not hide another.
struct BuilderList: SettingValue {
    private(set) var builders: [BuilderSettings] = []
    /// Builders with a mistake; their other settings are still checked.
    private(set) var faulty: [FaultyBuilder] = []
    /// Whether some entries are not builders at all, so that it is unknown what they use.
    private(set) var isIncomplete = false
    /// The constant names of builders with a mistake, which must be unique, too.
    var otherNames: [(name: String, range: SourceRange?)] {
        faulty.compactMap(\.constantName).map { ($0.text, $0.range) }
    }

    static var shape: String { "a list of builders" }

    static var form: ValueForm {
        let builder = ValueForm.settings(BuilderSettings.self)
        return .list(of: .either([builder, .list(of: builder)]))
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BuilderList? {
        guard case .sequence(let items) = node.kind else {
            guard node.mapping != nil else { return decoder.mismatch(node, expected: shape) }
            return decoder.error(
                "\(decoder.subject) must be \(shape), not a mapping; begin each with "
                    + "'- name: NAME'", at: node.range)
        }
        var list = BuilderList()
        guard let entries = decoder.flattened(items, at: node.range) else { return nil }
        guard !entries.isEmpty || items.isEmpty else {
            return decoder.error("\(decoder.subject) must not be empty", at: node.range)
        }
        for item in entries {
            switch BuilderSettings.read(item, with: decoder) {
            case .success(let builder): list.builders.append(builder)
            case .failure(let builder): list.faulty.append(builder)
            case nil: list.isIncomplete = true
            }
        }
        return list
    }
}

/// The keys of a file, used to tell a missing setting from an invalid one.
struct TopLevel {
    private let mapping: YAMLMapping
    /// The settings that unknown keys probably mean; `nil` if a key could mean any of them.
    private let misspelled: Set<String>?

    init(_ mapping: YAMLMapping) {
        self.mapping = mapping
        let keys = mapping.entries.map(\.key)
        let known = MasterSettings.declarations.map(\.name)
        let unknown = keys.compactMap(\.scalarText).filter {
            !$0.hasPrefix("x-") && !known.contains($0)
        }
        misspelled =
            keys.contains(where: \.isPlaceholder)
            ? nil : Set(unknown.compactMap { Suggestion.nearest(to: $0, among: known) })
    }

    /// The value of a key.
    subscript(name: String) -> YAMLNode? { mapping[name] }

    /// The node of a key.
    func key(_ name: String) -> YAMLNode? { mapping.entry(for: name)?.key }

    /// Whether a setting is present, possibly misspelled, so that no message need suggest adding
    /// it.
    func declares(_ name: String) -> Bool {
        mapping[name] != nil || misspelled?.contains(name) ?? true
    }
}

/// `delivery`: how reports are stored until they are delivered.
struct DeliverySettings: Settings, SettingValue {
    @Setting("What an accepted report survives: the end of the 'process', or a loss of 'power'.")
    var durability = Durability.process
    @Setting("The most bytes of undelivered reports; beyond that the oldest expire.")
    var maxBytes = DeliveryBounds().maxBytes
    @Setting("How long an undelivered report is kept before it expires.")
    var maxAge = DeliveryBounds().maxAge

    /// The limits on size and age.
    var bounds: DeliveryBounds { DeliveryBounds(maxBytes: maxBytes, maxAge: maxAge) }

    static var shape: String { "a mapping such as {durability: power, maxAge: 7d}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> DeliverySettings? {
        decoder.read(DeliverySettings.self, from: node, owner: "delivery", at: node.range)
    }
}

extension Durability: SettingEnumeration {}

/// `janitor`: what a master that stays up removes, and when.
package struct JanitorSettings: SettingHints, SettingValue, Equatable {
    @Setting("The number of builds of each builder to keep.", .within(1...1_000_000_000))
    package var keepBuilds: Int?
    @Setting("How long a build is kept after its end.") package var keepFor: Duration?
    @Setting("How long the logs of a build are kept after its end.")
    package var keepLogs: Duration?
    @Setting("How long a change is kept that no stored build and no scheduler needs.")
    package var keepChanges: Duration?
    @Setting("The size of the store and the logs beyond which the oldest builds are removed.")
    package var maxStore: ByteCount?

    package init() {}

    package static var shape: String { "a mapping such as {keepBuilds: 1000, keepLogs: 30d}" }

    /// The shortest time to keep something: what the janitor waits before it looks again. Less is
    /// most likely a number of days without a unit.
    private static let shortest = Duration.seconds(3600)
    /// The smallest store to keep. Less is most likely a number without a unit.
    private static let smallest = 100_000

    package static func hint(forUnknown name: String) -> String? {
        switch name {
        case "logHorizon": "write 'keepLogs'"
        case "build_data_horizon", "buildHorizon": "write 'keepBuilds' or 'keepFor'"
        case "hour", "minute", "dayOfWeek", "dayOfMonth", "month":
            "it looks for what is old every hour; remove it"
        default: nil
        }
    }

    package static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> JanitorSettings? {
        guard
            let settings = decoder.read(
                JanitorSettings.self, from: node, owner: "janitor", at: node.range)
        else { return nil }
        guard settings != JanitorSettings() || node.mapping?.entries.isEmpty == false else {
            return decoder.error(
                "'janitor' removes nothing; give it keepBuilds, keepFor, keepLogs, "
                    + "keepChanges or maxStore",
                at: node.range)
        }
        settings.refuseTooLittle(at: node, with: decoder)
        return settings
    }

    /// Adds an error for each setting by which next to everything would be removed.
    private func refuseTooLittle(at node: YAMLNode, with decoder: SettingDecoder) {
        let durations = [
            ("keepFor", keepFor), ("keepLogs", keepLogs), ("keepChanges", keepChanges),
        ]
        for (name, duration) in durations {
            guard let duration, duration < Self.shortest else { continue }
            decoder.error(
                "'\(name)' of janitor is only \(duration.inSeconds); write at least 1h, such as 90d "
                    + "for 90 days, or omit it to keep all",
                at: node.mapping?[name]?.range ?? node.range)
        }
        if let maxStore, maxStore.bytes < Self.smallest {
            decoder.error(
                "'maxStore' of janitor is only \(maxStore.bytes) bytes; write at least "
                    + "100kB, such as 10GiB, or omit it for no limit",
                at: node.mapping?["maxStore"]?.range ?? node.range)
        }
    }

    package static func == (one: JanitorSettings, other: JanitorSettings) -> Bool {
        one.values == other.values
    }

    private var values: [Int?] {
        [
            keepBuilds, keepFor.map { Int($0 / .seconds(1)) },
            keepLogs.map { Int($0 / .seconds(1)) }, keepChanges.map { Int($0 / .seconds(1)) },
            maxStore?.bytes,
        ]
    }
}
