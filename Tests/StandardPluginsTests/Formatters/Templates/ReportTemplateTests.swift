import FoundationEssentials
import MasterKit
import StandardPlugins
import Testing

/// Errors in a template in its own file.
struct ReportTemplateTests {
    private func mistakes(in template: String) throws -> [String] {
        let folder = URL(filePath: "/tmp/template-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "body.txt")
        try Data(template.utf8).write(to: path)
        let parsed = YAMLParser.parse("template: !File \(path.path())", name: "test.yaml")
        let node = try #require(parsed.root)
        do throws(ConfigurationError) {
            _ = try TemplateMessageFormatter.configured(node, scope: .service)
            return []
        } catch {
            return error.diagnostics.map { "\($0.range.map { "\($0.start)" } ?? "")|\($0.message)" }
        }
    }

    @Test func `a mistake is told with its place in the template`() throws {
        #expect(
            try mistakes(in: "one\n  {{ buildernaem }}\n") == [
                "1:11|a report has no 'buildernaem'; did you mean 'buildername'? (line 2, column 6 "
                    + "of the template)"
            ])
        #expect(
            try mistakes(in: "\n\n{% if %}") == [
                "1:11|{% if %} is never closed; write {% endif %} where it ends (line 3, column 1 of "
                    + "the template)",
                "1:11|expected a value, found nothing (line 3, column 7 of the template)",
            ])
        #expect(
            try mistakes(in: "{{ buildernaem }} {{ a b }}") == [
                "1:11|expected the end of the expression, found 'b' (line 1, column 24 of the "
                    + "template)",
                "1:11|a report has no 'buildernaem'; did you mean 'buildername'? (line 1, column 4 "
                    + "of the template)",
                "1:11|a report has no 'a'; there are \(names) (line 1, column 22 of the template)",
            ])
        #expect(try mistakes(in: "{{ buildername }}") == [])
    }

    private var names: String { ReportTopic.variableNames.joined(separator: ", ") }
}
