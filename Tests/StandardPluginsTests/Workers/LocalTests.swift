import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct LocalTests {
    @Test func `it is the machine of the master`() throws {
        guard case .local = try LocalBuildWorker.configured(yaml: "{}").access else {
            Issue.record("it is another machine")
            return
        }
    }
}
