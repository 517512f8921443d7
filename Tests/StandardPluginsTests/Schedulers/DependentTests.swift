import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct DependentTests {
    @Test func `it follows one scheduler`() throws {
        let dependent = try Dependent.configured(yaml: "{upstream: nightly}")
        #expect(dependent.upstreams.map(\.name) == ["nightly"])
        #expect(throws: ConfigurationError.self) { try Dependent.configured(yaml: "{}") }
        #expect(throws: ConfigurationError.self) {
            try Dependent.configured(yaml: "{upstream: [a, b]}")
        }
    }
}
