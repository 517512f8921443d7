internal import FoundationEssentials
package import MasterKit

/// A preview of a builder's build, as far as it can be determined before it runs.
///
/// Creating it does not store, send, fetch or run anything: secrets are known only by name.
package struct BuildPreview: Sendable {
    /// A step that would run.
    package struct Step: Sendable, Hashable {
        /// The position in the factory, starting at 1.
        package let number: Int
        /// The name, or `nil` if it is only known in the build.
        package let name: String?
        /// The key of its plugin.
        package let key: PluginKey
        /// The working folder of its commands, or `nil` for the folder of the file or if it is only
        /// known in the build.
        package let workdir: String?
        /// Whether its condition is false, regardless of what happens before it.
        package let isSkipped: Bool
        /// The settings given in the file, except those covered by the properties above.
        package let settings: JSONObject
    }

    /// The builder.
    package let builder: BuilderConfiguration
    /// The initial properties of the build, without those that every build has.
    package let properties: JSONObject
    /// The steps that would run, in order.
    package let steps: [Step]

    /// Creates a preview of a builder's build.
    ///
    /// - Parameters:
    ///   - builder: The builder.
    ///   - configuration: The file that declares it.
    ///   - request: The buildset request for the build.
    ///   - selection: The steps that would run.
    ///   - basedir: The base folder, which need not exist.
    ///   - environment: The environment for `!Env`.
    package init(
        of builder: BuilderConfiguration, in configuration: MasterConfiguration,
        _ request: BuildsetRequest, steps selection: StepSelection = StepSelection(),
        basedir: String, environment: [String: String]
    ) {
        self.builder = builder
        let known = Properties(
            of: builder, in: configuration,
            SubmittedValues(properties: request.properties, sourceStamps: request.sourceStamps),
            worker: "local",
            folders: BuildFolders(
                basedir: FilePaths.absolute(basedir),
                builddir: builder.builddir(in: FilePaths.absolute(basedir)),
                steps: builder.stepFolder(in: configuration, FilePaths.absolute(basedir))),
            numbers: nil)
        var shown = configuration.properties
        shown.merge(builder.properties)
        shown.merge(request.properties)
        let maker = PreviewContexts(
            of: builder.name, known: known, configuration, request.sourceStamps, basedir)
        let (one, other) = (maker.context(0), maker.context(1))
        properties = one.secrets.mask.apply(to: shown.values)
        var plan = StepPlan(
            builder: builder,
            folder: builder.stepFolder(in: configuration, FilePaths.absolute(basedir)))
        var selection = selection
        steps = builder.steps.compactMap { declaration in
            let (step, later) = (plan.next(declaration, in: one), plan.next(declaration, in: other))
            let name = plan.take(step.name)
            guard selection.takes(name) else { return nil }
            var settings = declaration.preview(
                in: one, other, environment: environment, folder: configuration.folder)
            let mask = one.secrets.mask
            var (known, place): (String?, String?) = (nil, nil)
            if step.name == later.name {
                known = mask.apply(to: name)
                settings.removeValue(forKey: "name")
            }
            if step.place.workdir == later.place.workdir {
                let workdir = step.place.workdir
                place = workdir == configuration.folder ? nil : mask.apply(to: workdir)
                settings.removeValue(forKey: "workdir")
            }
            return Step(
                number: plan.count, name: known, key: declaration.key, workdir: place,
                isSkipped: settings["doStepIf"] == false
                    || declaration.options.doStepIf.constant == false, settings: settings)
        }
    }
}

/// Makes two contexts that agree only on what is known before a build.
private struct PreviewContexts {
    private let builder: String
    private let known: Properties
    private let configuration: MasterConfiguration
    private let stamps: [SourceStamp]
    private let basedir: String
    private let secrets: SecretValues

    init(
        of builder: String, known: Properties, _ configuration: MasterConfiguration,
        _ stamps: [SourceStamp], _ basedir: String
    ) {
        self.builder = builder
        self.known = known
        self.configuration = configuration
        self.stamps = stamps
        self.basedir = basedir
        // Values that occur nowhere else, so that the mask finds them in every encoding.
        let names = Set(configuration.secretUses.map(\.name))
        secrets = SecretValues(
            Dictionary(uniqueKeysWithValues: names.map { ($0, "secret-\(UUID().uuidString)") }))
    }

    /// The context of a build; unknown values depend on the variant.
    func context(_ variant: Int) -> RenderContext {
        var properties = known
        let unknown = configuration.propertyUses.union(["builderid", "buildnumber"])
        for name in unknown where properties[name] == nil && variant > 0 {
            properties.set(name, .string("\(name)-\(variant)"), source: "Build")
        }
        let results: Results = variant == 0 ? .success : .failure
        return RenderContext(
            properties: properties, sourceStamps: stamps,
            worker: ["name": "local", "basedir": .string(basedir)], secrets: secrets,
            results: results,
            template: JSONObject(
                templateOf: (variant, variant, variant), builder: builder, properties, results,
                stamps, configuration.identity))
    }
}
