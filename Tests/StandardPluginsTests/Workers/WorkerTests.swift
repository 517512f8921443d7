import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct WorkerTests {
    @Test func `it needs a password`() throws {
        _ = try RemoteBuildWorker.configured(yaml: "{password: !Secret a}")
        #expect(throws: ConfigurationError.self) { try RemoteBuildWorker.configured(yaml: "{}") }
    }

    @Test(arguments: [
        ("keepalive", "from 1 second to 86400 seconds"),
        ("missing_timeout", "from 0.001 seconds to 31536000 seconds"),
    ])
    func `its times have bounds`(setting: String, range: String) throws {
        for value in ["0", "-1", "10000d", "1e300", "soon"] {
            let error = #expect(throws: ConfigurationError.self) {
                try RemoteBuildWorker.configured(yaml: "{password: a, \(setting): \(value)}")
            }
            #expect("\(error as Any)".contains(range), "\(value): \(error as Any)")
        }
    }
}
