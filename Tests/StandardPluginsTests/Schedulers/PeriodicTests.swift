import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct PeriodicTests {
    @Test func `it needs an interval, which is not 0`() throws {
        _ = try Periodic.configured(yaml: "{periodicBuildTimer: 90m}")
        for yaml in ["{}", "{periodicBuildTimer: 0}", "{periodicBuildTimer: soon}"] {
            #expect(throws: ConfigurationError.self) { try Periodic.configured(yaml: yaml) }
        }
    }
}
