import FoundationEssentials
import MasterKit
import MasterRuntime
import StandardPlugins
import Testing

/// Files whose wrong lines end in what is said about them: `# error 7: message`, with the column.
struct ConfigurationFixtureTests {
    static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Fixtures"

    static let names: [String] = {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { $0.hasSuffix(".yaml") }.sorted()
        } catch {
            preconditionFailure("no fixtures: \(error)")
        }
    }()

    @Test(arguments: names)
    func `a file is told all its mistakes`(_ name: String) throws {
        let path = "\(Self.folder)/\(name)"
        let loaded = MasterConfiguration.load(path: path, registry: .standard, environment: [:])
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        #expect(loaded.diagnostics.map(Self.words) == Self.expected(in: text))
        let hasError = loaded.diagnostics.contains { $0.severity == .error }
        #expect((loaded.configuration == nil) == hasError)
    }

    @Test func `there are fixtures`() {
        #expect(Self.names.count > 20)
    }

    private static func words(_ diagnostic: Diagnostic) -> String {
        let start = diagnostic.range?.start
        let place = "\(start?.line ?? 0):\(start?.column ?? 0)"
        let notes = diagnostic.notes.map { note in
            " [\(note.range?.start.line ?? 0): \(note.message)]"
        }
        return "\(place): \(diagnostic.severity): \(diagnostic.message)" + notes.joined()
    }

    private static func expected(in text: String) -> [String] {
        let remark = /# (error|warning) ([0-9]+): (.*?)(?= # (?:error|warning) [0-9]|$)/
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().flatMap { index, line in
            line.matches(of: remark).map { "\(index + 1):\($0.2): \($0.1): \($0.3)" }
        }
    }
}
