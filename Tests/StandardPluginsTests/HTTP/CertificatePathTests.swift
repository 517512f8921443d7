import Foundation
import MasterKit
import Testing

@testable import StandardPlugins

struct CertificatePathTests {
    /// Reads a setting as if from a file in `/dev`.
    private static func read<Value: SettingValue>(
        _ yaml: String, as type: Value.Type
    ) throws -> (value: Value?, messages: [String]) {
        let decoder = SettingDecoder(folder: "/dev")
        let root = try #require(YAMLParser.parse(yaml, name: "master.yaml").root)
        let value = decoder.about("'it'") { decoder.decode(type, from: root) }
        return (value, decoder.diagnostics.map(\.message))
    }

    @Test func `a relative path starts from the folder of the file`() throws {
        #expect(
            try Self.read("'null'", as: CertificateCheck.self).value?.verification
                == .authorities(path: "/dev/null"))
        let pair = try Self.read("['null', /dev/zero]", as: ClientCertificate.self).value
        #expect(pair?.path == "/dev/null")
        #expect(pair?.key == "/dev/zero")
    }

    @Test func `a path that is computed starts there as well, and must be there`() throws {
        let check = try Self.read("!Property ca", as: Renderable<CertificateCheck>.self).value
        let found = try check?.render(in: Self.context("null"))
        #expect(found?.verification == .authorities(path: "/dev/null"))
        let error = #expect(throws: RenderError.self) {
            try check?.render(in: Self.context("gone.pem"))
        }
        #expect(error?.message.contains("names 'gone.pem', which does not exist") == true)
    }

    private static func context(_ path: String) -> RenderContext {
        RenderContext(properties: Properties(["ca": .string(path)], source: "test"))
    }
}
