internal import MasterKit
internal import OrderedCollections

/// The top level of a master.yaml.
struct MasterSettings: Settings {
    @Setting("What the master is called.", .notEmpty) var title = "Buildmaster"
    @Setting("The address of what the title stands for.") var titleURL: HTTPAddress?
    @Setting("The address under which the master is found, for links in reports.")
    var buildbotURL: HTTPAddress?
    @Setting("Properties of every build.") var properties = PropertyValues()
    @Setting("Providers of secrets, asked in order.", declarations: .secrets, scope: .service)
    var secrets: [PluginDeclaration<any SecretProvider>]?
    @Setting("Folders of plugin packages to load.") var plugins: PluginPackages?
    @Setting("Reporters.", declarations: .reporters, scope: .service)
    var services: [PluginDeclaration<any Reporter>]?
    @Setting("The default build factory: a list of steps.", declarations: .steps, scope: .build)
    var steps: [PluginDeclaration<any Step>]?
    @Setting("Build factories by name.") var factories = OrderedDictionary<String, Factory>()
    @Setting("Builders.", .notEmpty) var builders: [BuilderSettings]?
    @Setting("Locks by name.") var locks: LockDeclarations?
    @Setting("Who shares cookies: 'build' or 'shared'.") var httpSession = HTTPSessionSharing.build
    @Setting("How reports are kept.") var delivery = DeliverySettings()
}

/// `delivery`: how reports are kept until they have arrived.
struct DeliverySettings: Settings, SettingValue {
    @Setting("What an accepted report survives: 'process' or 'power'.")
    var durability = Durability.process

    static var shape: String { "a mapping such as {durability: power}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> DeliverySettings? {
        let settings = DeliverySettings()
        return decoder.fill([settings], from: node, owner: "delivery", at: node.range)
            ? settings : nil
    }
}

/// `locks`: names that steps and builders may hold; their use is not enforced.
struct LockDeclarations: SettingValue {
    static var shape: String { "a mapping of names" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LockDeclarations? {
        guard decoder.decode(JSONObject.self, from: node) != nil else { return nil }
        decoder.warning("this version declares locks but does not enforce them", at: node.range)
        return LockDeclarations()
    }
}

/// `plugins`: packages to load, which a program without a loader has to refuse.
struct PluginPackages: SettingValue {
    static var shape: String { "a list of folders" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PluginPackages? {
        guard let folders = decoder.decode([String].self, from: node) else { return nil }
        guard folders.isEmpty else {
            return decoder.error(
                "this version does not load plugin packages; link plugins into a master of your "
                    + "own, as Examples/CustomMaster does", at: node.range)
        }
        return PluginPackages()
    }
}
