package import MasterKit

/// Assembles a configuration from the parts of a file and checks them against each other.
struct ConfigurationAssembler {
    let path: String
    let folder: String
    let decoder: SettingDecoder

    func assemble(_ root: YAMLNode) -> MasterConfiguration? {
        guard case .mapping(let mapping) = root.kind, root.tag?.name == nil else {
            return decoder.error(
                "a master.yaml is a mapping with keys such as 'services' and 'steps', not "
                    + root.wording, at: root.range)
        }
        let entries = mapping.entries.filter { !($0.key.scalarText ?? "").hasPrefix("x-") }
        let (settings, _) = decoder.reading(
            MasterSettings.self, from: root.replacing(.mapping(YAMLMapping(entries))),
            owner: "master.yaml", at: root.range)
        let topLevel = TopLevel(mapping)
        let builders = BuilderAssembler(settings: settings, topLevel: topLevel, decoder: decoder)
            .builders(at: root.range)
        var programs = ProgramNameCheck(decoder: decoder)
        for builder in builders { programs.check(builder.steps) }
        let (reporters, services) = (settings.services.reporters, settings.services.others)
        let names = reporters.map { ($0.name, $0.range) } + services.map { ($0.name, $0.range) }
        decoder.checkUnique(names.sorted { $0.1?.start.offset ?? 0 < $1.1?.start.offset ?? 0 }) {
            "two services are named '\($0)'; give one another 'name'"
        }
        checkSecrets(settings, topLevel)
        SchedulerCheck(decoder: decoder, topLevel: topLevel).check(settings.schedulers, builders)
        decoder.checkUnique((settings.changeSources?.sources ?? []).map { ($0.name, $0.range) }) {
            "two change sources are named '\($0)'; give one another 'name'"
        }
        checkWeb(settings)
        WorkerCheck(decoder: decoder, settings: settings, topLevel: topLevel).check()
        let buildbotURL =
            settings.buildbotURL?.text ?? MasterConfiguration.standardURL(of: settings.www)
            ?? "http://localhost:8080/"
        let identity = MasterIdentity(
            title: settings.title, titleURL: settings.titleURL?.text ?? buildbotURL,
            buildbotURL: buildbotURL.hasSuffix("/") ? buildbotURL : buildbotURL + "/")
        return MasterConfiguration(
            path: path, folder: folder, identity: identity,
            properties: Properties(settings.properties.values, source: "master.yaml"),
            builders: BuilderTable(builders), reporters: reporters, services: services,
            changeSources: settings.changeSources?.sources ?? [],
            schedulers: settings.schedulers ?? [], workers: settings.workers,
            endpoint: settings.protocols?.msgpack, secretProviders: settings.secrets ?? [],
            secretUses: decoder.secretUses,
            propertyUses: decoder.propertyUses, locks: settings.lockLimits ?? [:],
            httpSession: settings.httpSession,
            durability: settings.delivery.durability,
            deliveryBounds: settings.delivery.bounds, web: settings.www,
            webNode: settings.$www.node, janitor: settings.janitor,
            textsOfFiles: decoder.textsOfFiles)
    }

    private func checkSecrets(_ settings: MasterSettings, _ topLevel: TopLevel) {
        checkEnvironment(settings.secrets ?? [])
        guard settings.secrets?.isEmpty ?? !topLevel.declares("secrets") else { return }
        for use in decoder.secretUses {
            decoder.error(
                "the secret '\(use.name)' has no provider; add 'secrets', for example "
                    + "'- secrets.Environment'", at: use.range)
        }
    }

    /// Rejects `!Env` uses of variables that hold a secret, which would be masked in everything
    /// stored.
    private func checkEnvironment(_ providers: [SecretProviderDeclaration]) {
        let used = Set(decoder.secretUses.map(\.name))
        var seen: Set<EnvironmentUse> = []
        for use in decoder.environmentUses where seen.insert(use).inserted {
            let names = providers.compactMap { $0.plugin.secret(inEnvironmentVariable: use.name) }
            guard
                let name = names.first(where: { name in
                    used.contains(name) || use.isInReport && name != use.name
                })
            else { continue }
            decoder.error(
                "the environment variable \(use.name) is the secret '\(name)', which is hidden in "
                    + "everything that is stored; "
                    + (use.isInMessage
                        ? "send it in 'format', 'headers' or 'auth' of the reporter"
                        : "write !Secret \(name)"),
                at: use.range)
        }
    }
}

/// Checks the names of background programs: each is started before it is stopped, and not twice.
private struct ProgramNameCheck {
    let decoder: SettingDecoder
    /// The steps with an error; builders may share their steps.
    private var faulty: Set<Int> = []

    init(decoder: SettingDecoder) {
        self.decoder = decoder
    }

    mutating func check(_ steps: [StepDeclaration]) {
        var started: [String] = []
        var running: [String: StepDeclaration] = [:]
        var isEachKnown = true
        for step in steps {
            switch (step.plugin as? any ProgramStep)?.programUse {
            case .start(let id)?:
                guard let name = Self.name(id, of: step) else {
                    isEachKnown = false
                    continue
                }
                if let first = running[name] { report(step, startsAgain: name, first) }
                started.append(name)
                // One with a condition may not run.
                if !step.options.$doStepIf.isGiven { running[name] = step }
            case .stop(let id)?:
                guard let name = id.constant else { continue }
                if isEachKnown, !started.contains(name) {
                    report(
                        step,
                        "no step before this one starts a program '\(name)'; "
                            + Suggestion.remedy(for: name, among: started))
                }
                running[name] = nil
            case nil: break
            }
        }
    }

    /// The name of the program that a step starts, if it is known before the build.
    private static func name(_ id: Renderable<String>?, of step: StepDeclaration) -> String? {
        guard let name = id ?? step.options.name else { return step.key.name }
        return name.constant
    }

    private mutating func report(
        _ step: StepDeclaration, startsAgain name: String, _ first: StepDeclaration
    ) {
        report(
            step,
            "the program '\(name)' is already running here; give this one another 'id', or "
                + "end it before by 'steps.StopBackgroundCommand: \(name)'",
            notes: [.init("it is started here", range: first.range)])
    }

    private mutating func report(
        _ step: StepDeclaration, _ message: String, notes: [Diagnostic.Note] = []
    ) {
        guard faulty.insert(step.range?.start.offset ?? -1).inserted else { return }
        decoder.add([Diagnostic(.error, message, range: step.range, notes: notes)])
    }
}

extension SettingDecoder {
    /// Reports duplicate names, with the locations of both.
    func checkUnique(
        _ names: [(name: String, range: SourceRange?)], _ message: (String) -> String
    ) {
        var seen: [String: SourceRange?] = [:]
        for (name, range) in names {
            guard let earlier = seen[name] else {
                seen[name] = .some(range)
                continue
            }
            add([
                Diagnostic(
                    .error, message(name), range: range,
                    notes: [.init("the first one is here", range: earlier)])
            ])
        }
    }
}

extension MasterConfiguration {
    /// The result of loading a file.
    package struct Loaded: Sendable {
        /// The configuration, or `nil` if there are errors.
        package let configuration: MasterConfiguration?
        /// Errors and warnings, in the order of their locations.
        package let diagnostics: [Diagnostic]
        /// The file that the diagnostics refer to.
        package let file: SourceFile
        /// The plugins of the program and of the libraries that the file names.
        package let registry: Registry
    }

    /// Loads a file and finds all mistakes in it.
    ///
    /// - Parameters:
    ///   - path: The path of the file.
    ///   - registry: The plugins of the program.
    ///   - environment: The environment for `!Env`.
    ///   - loader: Loads the plugins that the file names; by default those whose libraries are in
    ///     the folder `.buildmaster` beside the file.
    /// - Returns: The configuration, if it has no errors, and all diagnostics.
    package static func load(
        path: String, registry: Registry, environment: [String: String],
        loader: PluginLoader? = nil
    ) -> Loaded {
        load(
            YAMLParser.parse(contentsOf: path), path: path, registry: registry,
            environment: environment, loader: loader)
    }

    /// Loads a file whose content has been parsed, such as that of an editor.
    ///
    /// - Parameters:
    ///   - parsed: The content.
    ///   - path: The path of the file; its folder is that of relative paths.
    ///   - registry: The plugins of the program.
    ///   - environment: The environment for `!Env`.
    ///   - loader: Loads the plugins that the file names; by default those whose libraries are in
    ///     the folder `.buildmaster` beside the file.
    /// - Returns: The configuration, if it has no errors, and all diagnostics.
    package static func load(
        _ parsed: YAMLParser.Output, path: String, registry: Registry,
        environment: [String: String], loader: PluginLoader? = nil
    ) -> Loaded {
        let folder = absoluteFolder(of: path)
        let plugins = (loader ?? PluginLoader(basedir: "\(folder)/.buildmaster")).load(
            PluginLoader.sources(in: parsed.root, folder: folder), registry)
        let decoder = SettingDecoder(
            registry: plugins.registry, environment: environment, folder: folder)
        decoder.add(plugins.diagnostics)
        let assembler = ConfigurationAssembler(path: path, folder: folder, decoder: decoder)
        let configuration = parsed.root.flatMap { assembler.assemble($0) }
        let found = parsed.addingAliases(
            to: decoder.diagnostics.map { $0.located(in: parsed.file) })
        let diagnostics = (parsed.diagnostics + found).enumerated()
            .sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }
            .map(\.element)
        let isValid =
            !diagnostics.contains { $0.severity == .error } && !plugins.registry.isIncomplete
        return Loaded(
            configuration: isValid ? configuration : nil, diagnostics: diagnostics,
            file: parsed.file, registry: plugins.registry)
    }

    static func absoluteFolder(of path: String) -> String {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return FilePaths.absolute(folder.isEmpty ? "/" : folder)
    }
}

extension Diagnostic {
    /// The sort key: the offset of the location. Notes about the whole file come last.
    fileprivate var offset: Int { range?.start.offset ?? (severity == .note ? .max : 0) }
}

/// `services`: reporters and others, each decoded separately, so that one mistake does not hide
/// another.
struct ServiceList: SettingValue {
    var reporters: [ReporterDeclaration] = []
    var others: [ServiceDeclaration] = []

    static var shape: String { "a list of reporters and other services" }

    static var form: ValueForm {
        .list(
            of: .either([
                .plugin(PluginKind.reporters.namespace), .plugin(PluginKind.services.namespace),
            ]))
    }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ServiceList? {
        guard case .sequence(let items) = node.kind, node.tag?.name == nil else {
            return decoder.plugins(.reporters, from: node).map { ServiceList(reporters: $0) }
        }
        var list = ServiceList()
        for item in decoder.flattened(items, at: node.range) ?? [] {
            if item.pluginNamespace == PluginKind.services.namespace {
                list.others += decoder.plugin(.services, from: item).map { [$0] } ?? []
            } else {
                list.reporters += decoder.plugin(.reporters, from: item).map { [$0] } ?? []
            }
        }
        return list
    }
}

extension YAMLNode {
    /// The namespace of the plugin in this entry.
    fileprivate var pluginNamespace: PluginNamespace? {
        let key = mapping?.entries.first?.key ?? self
        return key.scalarText.flatMap(PluginKey.init(_:))?.namespace
    }
}
