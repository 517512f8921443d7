import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct WorkerTests {
    @Test func `it needs a password, and times that are not 0`() throws {
        _ = try RemoteBuildWorker.configured(yaml: "{password: !Secret a}")
        for yaml in ["{}", "{password: a, keepalive: 0}", "{password: a, missing_timeout: 0}"] {
            #expect(throws: ConfigurationError.self) {
                try RemoteBuildWorker.configured(yaml: yaml)
            }
        }
    }
}
