internal import MasterKit

/// The steps of a build as they come up: named, numbered and with their policies rendered.
struct StepPlan {
    /// A step that is about to run, or to be passed over.
    struct Planned {
        let options: StepOptions
        let name: String
        let policy: StepPolicy
        let place: StepPlace
        let fault: RenderError?
    }

    let builder: BuilderConfiguration
    let folder: String
    private var used: Set<String> = []

    init(builder: BuilderConfiguration, folder: String) {
        self.builder = builder
        self.folder = folder
    }

    /// How many steps were taken so far.
    var count: Int { used.count }

    /// Renders what must be known of a step before it begins.
    func next(_ declaration: PluginDeclaration<any Step>, in context: RenderContext) -> Planned {
        let options = declaration.stepOptions
        let plain = declaration.key.name
        do throws(RenderError) {
            return Planned(
                options: options, name: try options.name?.render(in: context) ?? plain,
                policy: try StepPolicy(options, in: context),
                place: try StepPlace(options, of: builder, in: folder, context), fault: nil)
        } catch {
            return Planned(
                options: options, name: plain, policy: StepPolicy(),
                place: StepPlace(folder: folder), fault: error)
        }
    }

    /// Takes a step: its name, or that with `_1`, `_2`, … when it is taken; at most 50 characters.
    mutating func take(_ wanted: String) -> String {
        let limit = StepRecord.maximumNameLength
        var name = String(wanted.prefix(limit))
        var count = 0
        while !used.insert(name).inserted {
            count += 1
            let suffix = "_\(count)"
            name = wanted.prefix(limit - suffix.count) + suffix
        }
        return name
    }
}
