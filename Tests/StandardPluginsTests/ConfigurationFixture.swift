import FoundationEssentials
import MasterKit
import StandardPlugins

/// A file with mistakes, each told at the end of its line: `# error 7: what is wrong`.
///
/// The number is the column. Several mistakes of one line follow each other; a warning is told as
/// `# warning 7: …`. The file has the sections `services`, `steps` and `secrets` of a master.yaml.
struct ConfigurationFixture {
    /// The folder of the files.
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().appending(path: "Fixtures")

    /// The names of all files.
    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
    }

    private let name: String
    private let text: String

    init(_ name: String) throws {
        self.name = name
        text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    }

    /// What the file says is wrong with it, as `line:column: severity: message`.
    var expected: [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().flatMap { index, line in
            line.matches(of: /# (error|warning) (\d+): (.*?)(?=$| # (?:error|warning) \d+:)/)
                .map { "\(index + 1):\($0.2): \($0.1): \($0.3)" }
        }
    }

    /// What reading it says is wrong with it.
    var found: [String] {
        let output = YAMLParser.parse(text, name: name)
        let decoder = SettingDecoder(registry: .standard, environment: ["HERE": "value"])
        decoder.add(output.diagnostics)
        if let services = output.root?.mapping?["services"] {
            _ = decoder.within(.service) { decoder.plugins(.reporters, from: services) }
        }
        if let steps = output.root?.mapping?["steps"] {
            _ = decoder.plugins(.steps, from: steps)
        }
        if let secrets = output.root?.mapping?["secrets"] {
            _ = decoder.within(.service) { decoder.plugins(.secrets, from: secrets) }
        }
        return decoder.diagnostics.map { diagnostic in
            let place = diagnostic.range.map { "\($0.start)" } ?? "nowhere"
            return "\(place): \(diagnostic.severity.rawValue): \(diagnostic.message)"
        }
    }
}
