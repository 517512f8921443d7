import FoundationEssentials
import MasterKit
import Testing

/// Each file in `Fixtures` is read, and what is said about it is compared with what its lines say.
///
/// A wrong line ends in `# error 7: what is wrong`, a doubtful one in `# warning 7: …`; the number
/// is the column. Several of them may follow each other.
struct ConfigurationFixtureTests {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    private static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
    }

    @Test func `there are fixtures, and each but one is wrong`() throws {
        let names = try Self.names()
        #expect(names.count > 8)
        let right = try names.filter { try Self.expected(in: Self.text(of: $0)).isEmpty }
        #expect(right == ["right.yaml"])
    }

    @Test(arguments: try names())
    func `a fixture gives the diagnostics that its lines tell`(name: String) throws {
        let text = try Self.text(of: name)
        let found = try Self.found(in: text, name: name)
        let expected = Self.expected(in: text)
        #expect(found.filter { !expected.contains($0) } == [])
        #expect(expected.filter { !found.contains($0) } == [])
        #expect(found.count == expected.count)
    }

    private static func text(of name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    private static func expected(in text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().flatMap { index, line in
            line.matches(of: /# (error|warning) (\d+): (.*?)(?=$| # (?:error|warning) \d+:)/)
                .map { "\(index + 1):\($0.2): \($0.1): \($0.3)" }
        }.sorted()
    }

    private static func found(in text: String, name: String) throws -> [String] {
        let output = YAMLParser.parse(text, name: name)
        let decoder = SettingDecoder(registry: try .sample(), environment: ["COUNT": "5"])
        decoder.add(output.diagnostics)
        if let root = output.root {
            let settings = SampleConfiguration()
            decoder.fill([settings], from: root, owner: name, at: root.range)
        }
        return decoder.diagnostics.map { diagnostic in
            let place = diagnostic.range.map { "\($0.start)" } ?? "nowhere"
            return "\(place): \(diagnostic.severity.rawValue): \(diagnostic.message)"
        }.sorted()
    }
}

/// The top level of the fixtures.
private struct SampleConfiguration: Settings {
    @Setting("Reporters.", declarations: .reporters, scope: .service)
    var services: [PluginDeclaration<any Reporter>]?
    @Setting("Steps.", declarations: .steps, scope: .build)
    var steps: [PluginDeclaration<any Step>]?
    @Setting("A text.") var title = "none"
}
