import FoundationEssentials
import Testing

@testable import MasterYAML

/// Each `NAME.yaml` in `Fixtures` is read, and what is said about it is compared with `NAME.expected`.
struct SyntaxFixtureTests {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    private static func names(withExtension suffix: String) throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return Set(files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) })
    }

    @Test func `every fixture has its expectation`() throws {
        let inputs = try Self.names(withExtension: ".yaml")
        #expect(inputs.count > 40)
        let expectations = try Self.names(withExtension: ".expected")
        #expect(inputs == expectations)
    }

    @Test(arguments: try names(withExtension: ".yaml").sorted())
    func `a fixture gives the expected diagnostics`(name: String) throws {
        let path = Self.folder.appending(path: "\(name).yaml").path
        let output = YAMLParser.parse(contentsOf: path, name: "\(name).yaml")
        let text = output.diagnostics.map { $0.rendered() + "\n" }.joined()
        let expected = try Data(contentsOf: Self.folder.appending(path: "\(name).expected"))
        #expect(text == String(decoding: expected, as: UTF8.self))
        #expect(output.root != nil || output.hasErrors)
    }

    @Test(arguments: try names(withExtension: ".yaml").sorted())
    func `no message is in libyaml's words`(name: String) {
        let path = Self.folder.appending(path: "\(name).yaml").path
        for diagnostic in YAMLParser.parse(contentsOf: path).diagnostics {
            #expect(!diagnostic.message.contains("did not find"))
            #expect(!diagnostic.message.contains("while"))
            #expect(!diagnostic.message.contains("<block"))
            #expect(!diagnostic.message.contains("YAML does not allow this here"))
        }
    }
}
