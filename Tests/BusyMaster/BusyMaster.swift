import MasterCommand
import MasterKit
import StandardPlugins

/// A master with a step that computes forever and never yields its thread.
@main
struct BusyMaster {
    static func main() async {
        await MasterCommandLine.main(plugins: [standardPlugins, PluginBundle(Compute.self)])
    }
}

struct Compute: Step {
    static let summary = "Computes for ever."

    func run(in context: StepContext) async throws -> Results {
        await context.setSummary("computing")
        var number: UInt64 = 1
        while number != 0 { number = number &* 6_364_136_223_846_793_005 | 1 }
        return .success
    }
}
