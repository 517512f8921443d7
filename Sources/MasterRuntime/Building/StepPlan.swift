internal import MasterKit

/// The steps of a build as they are reached: named, numbered and with their policies rendered.
struct StepPlan {
    /// A step before it begins.
    struct Planned {
        let declaration: StepDeclaration
        var name: String
        var policy = StepPolicy()
        var place: StepPlace
        /// The text shown while it runs.
        var running = RunningText()
        /// An error from rendering the options; the step then ends with exception.
        var fault: RenderError?

        var options: StepOptions { declaration.options }
    }

    let builder: BuilderConfiguration
    let folder: String
    private var used: Set<String> = []
    /// The last number that was appended to each wanted name.
    private var suffixes: [String: Int] = [:]

    init(builder: BuilderConfiguration, folder: String) {
        self.builder = builder
        self.folder = folder
    }

    /// The number of steps taken so far.
    private(set) var count = 0

    /// Renders what is needed before a step begins.
    func next(_ declaration: StepDeclaration, in context: RenderContext) -> Planned {
        let options = declaration.options
        var planned = Planned(
            declaration: declaration, name: declaration.key.name, place: StepPlace(folder: folder))
        do throws(RenderError) {
            planned.policy = try StepPolicy(options, in: context)
            planned.name = try name(options, in: context) ?? planned.name
            planned.place = try StepPlace(options, of: builder, in: folder, context)
            planned.running = try options.runningText(in: context)
        } catch {
            planned.fault = error
        }
        return planned
    }

    private func name(
        _ options: StepOptions, in context: RenderContext
    ) throws(RenderError) -> String? {
        let name = try options.name?.render(in: context)
        if name?.isEmpty == true {
            throw RenderError("the 'name' of the step rendered to an empty text")
        }
        return name
    }

    /// The name in the permitted length.
    static func shortened(_ name: String) -> String {
        String(name.prefix(StepRecord.maximumNameLength))
    }

    /// Takes the next step, and reserves its name.
    mutating func take(_ wanted: String) -> String {
        count += 1
        return reserve(wanted)
    }

    /// Reserves a unique name for a step: the wanted one, or that with `_1`, `_2`, …; at most 50
    /// characters.
    mutating func reserve(_ wanted: String) -> String {
        let limit = StepRecord.maximumNameLength
        let short = Self.shortened(wanted)
        var name = short
        var count = suffixes[short, default: 0]
        while !used.insert(name).inserted {
            count += 1
            let suffix = "_\(count)"
            name = wanted.prefix(limit - suffix.count) + suffix
        }
        suffixes[short] = count
        return name
    }
}

/// A selection of a build's steps, by name or pattern; by default all.
package struct StepSelection: Sendable, Hashable {
    /// The first step, or `nil` for the first one in the factory.
    package var first: String?
    /// The last step, or `nil` for the last one in the factory.
    package var last: String?
    /// The only steps to run; empty for all between the first and the last one.
    package var only: [String]
    private var hasBegun = false
    private var hasEnded = false

    /// Creates a selection.
    package init(first: String? = nil, last: String? = nil, only: [String] = []) {
        self.first = first
        self.last = last
        self.only = only
    }

    /// Whether all steps are selected.
    package var isEverything: Bool { first == nil && last == nil && only.isEmpty }

    /// Whether to run the next step of a build, given its name.
    mutating func takes(_ name: String) -> Bool {
        if !hasBegun { hasBegun = first.map { NamePattern($0).matches(name) } ?? true }
        guard hasBegun, !hasEnded else { return false }
        if let last { hasEnded = NamePattern(last).matches(name) }
        return only.isEmpty || only.contains { NamePattern($0).matches(name) }
    }
}

/// Where and in which environment a step's commands run, and how their output is logged.
struct StepPlace: Sendable {
    let workdir: String
    let environment: [String: String?]
    let encoding: LogEncoding
    let logLimit: LogLimit

    init(
        _ options: StepOptions, of builder: BuilderConfiguration, in folder: String,
        _ context: RenderContext
    ) throws(RenderError) {
        let base = FilePaths.absolute(try builder.workdir?.render(in: context) ?? ".", in: folder)
        workdir = FilePaths.absolute(try options.workdir?.render(in: context) ?? ".", in: base)
        let variables = try builder.environment.render(in: context).variables
        environment = Dictionary(uniqueKeysWithValues: variables.map { ($0.key, $0.value) })
        encoding = options.logEncoding
        logLimit = options.maxLogSize
    }

    /// The default place, for a step whose options cannot be rendered.
    init(folder: String) {
        workdir = folder
        environment = [:]
        encoding = .utf8
        logLimit = .standard
    }
}
