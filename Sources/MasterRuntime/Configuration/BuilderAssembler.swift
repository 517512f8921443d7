internal import MasterKit

/// Assembles the builders from what a file declares: builders, factories, matrices.
struct BuilderAssembler {
    let settings: MasterSettings
    let topLevel: TopLevel
    let decoder: SettingDecoder

    /// All valid builders; a builder whose steps are invalid has none.
    func builders(at range: SourceRange?) -> [BuilderConfiguration] {
        let builders = declaredBuilders(at: range)
        // With a mistake in a step or a property, its name may be missing.
        let isEachStepKnown = !decoder.hasErrors
        let check = WaitCheck(
            decoder: decoder, builders: builders, limits: limits,
            schedulers: settings.schedulers ?? [])
        check.checkLocks()
        if let declared = settings.builders {
            if declared.faulty.count == declared.otherNames.count {
                check.checkNames(among: builders.map(\.name) + declared.otherNames.map(\.name))
            }
        } else if !topLevel.declares("builders"), !builders.isEmpty {
            check.checkNames(among: builders.map(\.name))
        }
        check.checkWaits()
        let references = ReferenceCheck(
            decoder: decoder, builders: builders,
            properties: Properties(settings.properties.values, source: "master.yaml"),
            others: propertiesFromElsewhere)
        let areBuildersKnown = settings.builders?.faulty.isEmpty ?? !topLevel.declares("builders")
        if areBuildersKnown, !builders.isEmpty {
            references.checkTags(among: Set(builders.flatMap(\.tags)).sorted())
        }
        if isEachStepKnown { references.checkSteps() }
        return builders
    }

    /// The names of properties that schedulers, their forms and workers set.
    private var propertiesFromElsewhere: [String] {
        var names: [String] = []
        for scheduler in settings.schedulers ?? [] {
            names += scheduler.options.properties.map { $0.key }
            guard let form = scheduler.plugin as? any ForcedScheduler else { continue }
            for parameter in form.parameters {
                names.append(parameter.name)
                names += parameter.leaves.map { $0.parameter.name }
            }
        }
        for worker in settings.workers ?? [] {
            names += worker.options.properties.map { $0.key }
            names += worker.options.defaultProperties.map { $0.key }
        }
        return names
    }

    /// The units of each lock, or `nil` if their declaration is wrong.
    private var limits: [String: LockLimit]? {
        settings.lockLimits ?? (topLevel.declares("locks") ? nil : [:])
    }

    private var workerCheck: WorkerCheck {
        WorkerCheck(decoder: decoder, settings: settings, topLevel: topLevel)
    }

    private func declaredBuilders(at range: SourceRange?) -> [BuilderConfiguration] {
        if let declared = settings.builders {
            let places = declared.builders.flatMap { builder in
                combinations(of: builder).map { (builder, $0) }
            }
            for builder in declared.faulty { check(builder) }
            warnOfUnused(declared)
            checkNames(places.map { ($1.name, $0.name.range) } + declared.otherNames)
            checkStepFolders(of: places.map { ($1, $0.name.range) })
            return BuilderOrder(decoder: decoder, declared: declared).builders(of: places)
        }
        warnOfUnused(nil)
        guard let steps = settings.steps else {
            if !topLevel.declares("builders"), !topLevel.declares("steps") {
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
                isTriggeredOnly: false, maxTime: nil, steps: steps)
        ]
    }

    private func checkStepFolders(of builders: [(BuilderConfiguration, SourceRange?)]) {
        guard let workers = workerCheck.workers else { return }
        let hasSchedulers = settings.schedulers?.isEmpty == false
        StepFolderCheck(decoder: decoder, workers: workers, hasSchedulers: hasSchedulers)
            .check(builders)
    }

    /// Warns about factories and steps that no builder uses.
    private func warnOfUnused(_ declared: BuilderList?) {
        guard declared?.isIncomplete != true, declared != nil || !topLevel.declares("builders")
        else { return }
        let builders = (declared?.builders ?? []) + (declared?.faulty.map(\.settings) ?? [])
        let references = builders.compactMap(\.factory).filter { $0.steps == nil }
        let used = settings.factories.withBases(Set(references.map(\.name)))
        let isEachKnown = used.isSubset(of: settings.factories.names)
        for entry in topLevel["factories"]?.mapping?.entries ?? [] where isEachKnown {
            guard let name = entry.key.scalarText, !used.contains(name) else { continue }
            decoder.warning(
                "no builder uses the factory '\(name)'; write 'factory: \(name)' in a builder, or "
                    + "remove it", at: entry.key.range)
        }
        guard let declared, declared.faulty.isEmpty, !declared.builders.isEmpty,
            declared.builders.allSatisfy({ $0.steps != nil || $0.factory != nil })
        else { return }
        if let key = topLevel.key("steps") {
            decoder.warning(
                "no builder uses these 'steps', as each has steps of its own; remove them",
                at: key.range)
        }
    }

    /// Checks the source of an invalid builder's steps.
    private func check(_ builder: FaultyBuilder) {
        var properties = Properties()
        if let reference = builder.settings.factory {
            _ = steps(of: reference, &properties)
        } else if !topLevel.declares("steps"), !builder.declares("steps"),
            !builder.declares("factory")
        {
            reportMissingSteps(of: builder.wording, at: builder.range)
        }
    }

    // MARK: Names

    private func checkNames(_ names: [(name: String, range: SourceRange?)]) {
        let inOrder = names.sorted {
            ($0.range?.start.offset ?? 0) < ($1.range?.start.offset ?? 0)
        }
        decoder.checkUnique(inOrder) {
            "two builders are named '\($0)'; rename one"
        }
    }

    /// The builders of one entry: one, or one for each combination of its matrix.
    private func combinations(of declared: BuilderSettings) -> [BuilderConfiguration] {
        var properties = Properties()
        let steps = steps(of: declared, &properties)
        properties.merge(Properties(declared.properties.values, source: "Builder"))
        let values = declared.matrix?.combinations ?? [JSONObject()]
        guard let names = names(of: declared, values) else { return [] }
        let workerNames = workerCheck.names(for: declared)
        return zip(names, values).map { name, values in
            var properties = properties
            properties.merge(Properties(values, source: "Builder"))
            return BuilderConfiguration(
                name: name, description: declared.description, tags: declared.tags,
                properties: properties, environment: declared.env, workdir: declared.workdir,
                isTriggeredOnly: declared.triggeredOnly, maxTime: declared.maxTime,
                locks: locks(of: declared, values), workerNames: workerNames,
                nextWorker: declared.nextWorker,
                collapsesRequests: declared.collapseRequests ?? settings.collapseRequests,
                factory: declared.factory?.name,
                choices: choices(of: declared.factory),
                axes: declared.matrix?.axes(of: values) ?? JSONObject(), steps: steps,
                computedSettings: [
                    declared.$env.node, declared.$workdir.node, declared.$maxTime.node,
                ])
        }
    }

    /// The locks of one builder. Constant names are checked with those of steps.
    private func locks(of declared: BuilderSettings, _ values: JSONObject) -> [LockDemand] {
        guard let limits else { return [] }
        if let list = declared.locks.constant {
            let items = list.items.filter { $0.fault(limits: limits) == nil }
            return items.map { $0.demand(limits: limits) }
        }
        guard declared.matrix != nil else {
            return decoder.error(
                "a lock of a builder can only be computed from the axes of a 'matrix'; write a text",
                at: declared.name.range) ?? []
        }
        let context = RenderContext(
            properties: Properties(values, source: "Builder"),
            template: ["properties": .object(values)])
        do throws(RenderError) {
            return try declared.locks.render(in: context).demands(limits: limits)
        } catch {
            return decoder.error(error.message, at: error.range ?? declared.name.range) ?? []
        }
    }

    private func choices(of reference: FactoryReference?) -> [String: [JSONValue]] {
        guard let factory = reference.flatMap({ settings.factories[$0.name] }) else { return [:] }
        var choices: [String: [JSONValue]] = [:]
        for (name, parameter) in factory.parameters.byName { choices[name] = parameter.choices }
        return choices
    }

    private func names(of declared: BuilderSettings, _ values: [JSONObject]) -> [String]? {
        let range = declared.name.range
        guard declared.matrix != nil || declared.name.text.constant != nil else {
            return decoder.error(
                "the name of a builder can only be computed from the axes of a 'matrix'; write a text",
                at: range)
        }
        var combinations: [String: JSONObject] = [:]
        var names: [String] = []
        for values in values {
            guard let name = name(declared.name, values) else { return nil }
            if let other = combinations.updateValue(values, forKey: name) {
                return decoder.error(clash(of: other, and: values, named: name), at: range)
            }
            names.append(name)
        }
        return names
    }

    private func name(_ name: BuilderName, _ values: JSONObject) -> String? {
        let context = RenderContext(
            properties: Properties(values, source: "Builder"),
            template: ["properties": .object(values)])
        do throws(RenderError) {
            let text = try name.text.render(in: context)
            guard let fault = BuilderName.fault(of: text) else { return text }
            return decoder.error("\(fault): '\(text)'", at: name.range)
        } catch {
            return decoder.error(error.message, at: error.range ?? name.range)
        }
    }

    private func clash(of one: JSONObject, and other: JSONObject, named name: String) -> String {
        if one == other { return "the combination \(one.words) occurs twice; remove one" }
        let format = one.map { "%(prop:\($0.key))s" }.joined(separator: "-")
        return "the combinations \(one.words) and \(other.words) are both named '\(name)'; "
            + "use each axis in 'name', as in !Interpolate \"\(format)\""
    }

    // MARK: Steps

    /// The steps of a builder; empty if they are invalid, in which case errors have been reported.
    private func steps(
        of declared: BuilderSettings, _ properties: inout Properties
    ) -> [StepDeclaration] {
        if let steps = declared.steps { return steps }
        if let reference = declared.factory { return steps(of: reference, &properties) }
        if !topLevel.declares("steps") {
            reportMissingSteps(of: declared.name.wording, at: declared.name.range)
        }
        return settings.steps ?? []
    }

    private func reportMissingSteps(of builder: String, at range: SourceRange?) {
        decoder.error(
            "\(builder) has neither 'steps' nor 'factory', and there are no 'steps' at the top "
                + "level", at: range)
    }

    private func steps(
        of reference: FactoryReference, _ properties: inout Properties
    ) -> [StepDeclaration] {
        if let steps = reference.steps { return steps }
        let factories = settings.factories
        if let factory = factories[reference.name] {
            bind(reference, to: factory, &properties)
            return factory.steps
        }
        if !factories.names.contains(reference.name), areFactoriesRead {
            decoder.error(
                "there is no factory '\(reference.name)'; "
                    + Suggestion.remedy(for: reference.name, among: factories.names),
                at: reference.range)
        }
        return []
    }

    /// Whether the names of all factories are known; if not, errors have already been reported.
    private var areFactoriesRead: Bool {
        topLevel["factories"]?.mapping != nil || !topLevel.declares("factories")
    }

    private func bind(
        _ reference: FactoryReference, to factory: Factory, _ properties: inout Properties
    ) {
        let parameters = factory.parameters.byName
        for argument in reference.arguments {
            guard let parameter = parameters[argument.name] else {
                decoder.error(
                    "the factory '\(reference.name)' has no parameter '\(argument.name)'; "
                        + Suggestion.remedy(for: argument.name, among: parameters.keys),
                    at: argument.nameRange)
                continue
            }
            if let fault = parameter.fault(of: argument.value) {
                decoder.error("the parameter '\(argument.name)' \(fault)", at: argument.valueRange)
            }
        }
        for (name, parameter) in parameters {
            let given = reference.arguments.first { $0.name == name }?.value
            guard let value = given ?? parameter.fallback else {
                decoder.error(
                    "the factory '\(reference.name)' needs the parameter '\(name)'",
                    at: reference.range)
                continue
            }
            properties.set(name, value, source: "Factory")
        }
    }
}

extension JSONObject {
    /// The combination as text.
    fileprivate var words: String {
        "{" + map { "\($0.key): \($0.value.text ?? "null")" }.joined(separator: ", ") + "}"
    }
}
