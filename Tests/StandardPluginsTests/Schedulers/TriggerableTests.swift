import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct TriggerableTests {
    @Test func `it has no settings of its own`() throws {
        #expect(Triggerable.declarations.isEmpty)
        #expect(try Triggerable.configured(yaml: "{}").upstreams.isEmpty)
    }
}
