import FoundationEssentials
import MasterCommand
import MasterKit
import StandardPlugins

/// A master with a step that computes forever, and with a clock that a test sets.
@main
struct TestMaster {
    static func main() async {
        let path = ProcessInfo.processInfo.environment["TEST_CLOCK"]
        let time: any WallClock = path.map { FileClock(path: $0) } ?? SystemWallClock()
        await MasterCommandLine.main(
            plugins: [standardPlugins, PluginBundle(Compute.self)], time: time)
    }
}

/// A step that never yields its thread.
struct Compute: Step {
    static let summary = "Computes for ever."

    func run(in context: StepContext) async throws -> Results {
        await context.setSummary("computing")
        var number: UInt64 = 1
        while number != 0 { number = number &* 6_364_136_223_846_793_005 | 1 }
        return .success
    }
}
