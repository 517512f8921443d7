internal import FoundationEssentials
internal import MasterKit
internal import OrderedCollections

/// Puts the parts of a file together and checks them against each other.
struct ConfigurationAssembler {
    let path: String
    let folder: String
    let decoder: SettingDecoder

    func assemble(_ root: YAMLNode) -> MasterConfiguration? {
        let settings = MasterSettings()
        guard case .mapping(let mapping) = root.kind, root.tag?.name == nil else {
            return decoder.error(
                "a master.yaml is a mapping with keys such as 'services' and 'steps', not "
                    + root.wording, at: root.range)
        }
        let entries = mapping.entries.filter { !($0.key.scalarText ?? "").hasPrefix("x-") }
        decoder.fill(
            [settings], from: root.replacing(.mapping(YAMLMapping(entries))),
            owner: "master.yaml", at: root.range)
        let builders = self.builders(of: settings, in: mapping, at: root.range)
        checkReporterNames(settings.services ?? [])
        checkSecrets(settings)
        let buildbotURL = settings.buildbotURL?.text ?? "http://localhost:8080/"
        let identity = MasterIdentity(
            title: settings.title, titleURL: settings.titleURL?.text ?? buildbotURL,
            buildbotURL: buildbotURL.hasSuffix("/") ? buildbotURL : buildbotURL + "/")
        return MasterConfiguration(
            path: path, folder: folder, identity: identity,
            properties: Properties(settings.properties.values, source: "master.yaml"),
            builders: builders, reporters: settings.services ?? [],
            secretProviders: settings.secrets ?? [], secretUses: decoder.secretUses,
            httpSession: settings.httpSession, durability: settings.delivery.durability)
    }

    // MARK: Builders

    private func builders(
        of settings: MasterSettings, in mapping: YAMLMapping, at range: SourceRange?
    ) -> [BuilderConfiguration] {
        if let declared = settings.builders {
            checkBuilderNames(declared)
            return declared.compactMap { builder($0, of: settings, in: mapping) }
        }
        if mapping["builders"] != nil { return [] }
        guard let steps = settings.steps else {
            if mapping["steps"] == nil {
                decoder.error(
                    "there is nothing to run; add 'steps', or 'builders' with steps of their own",
                    at: range)
            }
            return []
        }
        return [
            BuilderConfiguration(
                name: "default", description: nil, tags: [], properties: Properties(),
                environment: Renderable(CommandEnvironment()), workdir: nil,
                isTriggeredOnly: false, steps: steps)
        ]
    }

    private func builder(
        _ declared: BuilderSettings, of settings: MasterSettings, in mapping: YAMLMapping
    ) -> BuilderConfiguration? {
        var properties = Properties()
        guard let steps = steps(of: declared, settings, mapping, &properties) else { return nil }
        properties.merge(Properties(declared.properties.values, source: "Builder"))
        return BuilderConfiguration(
            name: declared.name.text, description: declared.description, tags: declared.tags,
            properties: properties, environment: declared.env, workdir: declared.workdir,
            isTriggeredOnly: declared.triggeredOnly, steps: steps)
    }

    private func steps(
        of declared: BuilderSettings, _ settings: MasterSettings, _ mapping: YAMLMapping,
        _ properties: inout Properties
    ) -> [PluginDeclaration<any Step>]? {
        if let steps = declared.steps { return steps }
        guard let reference = declared.factory else {
            if let steps = settings.steps { return steps }
            guard mapping["steps"] == nil else { return nil }
            return decoder.error(
                "builder '\(declared.name.text)' has no 'steps' and no 'factory', and there are "
                    + "no 'steps' at the top level", at: declared.name.range)
        }
        guard let factory = settings.factories[reference.name] else {
            if mapping["factories"]?.mapping?[reference.name] != nil { return nil }
            let names = Array(settings.factories.keys)
            return decoder.error(
                "there is no factory '\(reference.name)'; "
                    + Suggestion.remedy(for: reference.name, among: names), at: reference.range)
        }
        bind(reference, to: factory, &properties)
        return factory.steps
    }

    private func bind(
        _ reference: FactoryReference, to factory: Factory, _ properties: inout Properties
    ) {
        for (name, value) in reference.arguments {
            guard let parameter = factory.parameters[name] else {
                let known = Array(factory.parameters.keys)
                decoder.error(
                    "the factory '\(reference.name)' has no parameter '\(name)'; "
                        + Suggestion.remedy(for: name, among: known), at: reference.range)
                continue
            }
            if let fault = parameter.fault(of: value) {
                decoder.error("the parameter '\(name)' \(fault)", at: reference.range)
            }
            properties.set(name, value, source: "Factory")
        }
        for (name, parameter) in factory.parameters where reference.arguments[name] == nil {
            guard let fallback = parameter.fallback else {
                decoder.error(
                    "the factory '\(reference.name)' needs the parameter '\(name)'",
                    at: reference.range)
                continue
            }
            properties.set(name, fallback, source: "Factory")
        }
    }

    // MARK: Checks

    private func checkBuilderNames(_ builders: [BuilderSettings]) {
        checkUnique(builders.map { ($0.name.text, $0.name.range) }) {
            "there are two builders named '\($0)'; give one another name"
        }
    }

    private func checkReporterNames(_ reporters: [PluginDeclaration<any Reporter>]) {
        checkUnique(reporters.map { ($0.name, $0.range) }) {
            "there are two services named '\($0)'; give one another 'name'"
        }
    }

    private func checkUnique(
        _ names: [(name: String, range: SourceRange?)], _ message: (String) -> String
    ) {
        var seen: [String: SourceRange?] = [:]
        for (name, range) in names {
            guard let earlier = seen.updateValue(range, forKey: name) else { continue }
            decoder.add([
                Diagnostic(
                    .error, message(name), range: range,
                    notes: [.init("the first one is here", range: earlier)])
            ])
        }
    }

    private func checkSecrets(_ settings: MasterSettings) {
        guard settings.secrets?.isEmpty ?? true else { return }
        for use in decoder.secretUses {
            decoder.error(
                "the secret '\(use.name)' has no provider; add 'secrets', for example "
                    + "'- secrets.Environment'", at: use.range)
        }
    }
}
