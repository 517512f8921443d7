import FoundationEssentials
import Testing

/// Every YAML block in the documents is valid, or has exactly the errors shown with it.
@Suite(.timeLimit(.minutes(5)))
struct YAMLBlocksTests {
    @Test func `every block says in which language it is`() throws {
        let known = ["console", "json", "python", "swift", "text", "yaml"]
        for block in try Documents.blocks() {
            #expect(known.contains(block.language), "\(block)")
        }
    }

    @Test func `every block of YAML passes the check, or gives the output below it`()
        async throws
    {
        let blocks = try Documents.blocks()
        #expect(blocks.contains { $0.language == "yaml" })
        try await TemporaryFolder.with { folder in
            for (index, block) in blocks.enumerated() where block.language == "yaml" {
                try folder.write(Self.file(block.text), to: "master.yaml")
                let ended = try await Self.program(for: block).run(["check"], in: folder.path)
                if let output = Self.output(below: index, in: blocks) {
                    #expect(ended.status == 2, "\(block)")
                    #expect(ended.output == output, "\(block)")
                } else {
                    #expect(ended.status == 0, "\(block): \(ended.output)")
                    #expect(!ended.output.contains("warning"), "\(block): \(ended.output)")
                }
            }
        }
    }

    /// The blocks of YAML that are shown without mistakes.
    static func rightBlocks() throws -> [CodeBlock] {
        let blocks = try Documents.blocks()
        return blocks.indices.filter { index in
            blocks[index].language == "yaml" && output(below: index, in: blocks) == nil
        }.map { blocks[$0] }
    }

    /// The output shown for a check: a text block with positions in a master.yaml.
    private static func output(below index: Int, in blocks: [CodeBlock]) -> String? {
        guard blocks.indices.contains(index + 1) else { return nil }
        let next = blocks[index + 1]
        let isOutput =
            next.language == "text" && next.file == blocks[index].file
            && next.text.hasPrefix("master.yaml:")
        return isOutput ? next.text : nil
    }

    /// The program that has the plugins used in a block.
    static func program(for block: CodeBlock) -> BuiltProgram {
        block.file.hasSuffix("WritingAPlugin.md") ? .ofExample("CustomMaster") : .buildmaster
    }

    /// Completes a block to a whole file: adds the missing section key, and steps if there are
    /// none.
    static func file(_ text: String) -> String {
        let first = text.split(separator: "\n").first { !$0.hasPrefix("#") } ?? ""
        let sections = [
            "- steps.": "steps", "- reporters.": "services", "- secrets.": "secrets",
            "- name:": "builders",
        ]
        let section = sections.first { first.hasPrefix($0.key) }?.value
        let whole = section.map { "\($0):\n\(text)" } ?? text
        let keys = whole.split(separator: "\n").filter { $0.first?.isLetter ?? false }
        let runs = keys.contains { $0.hasPrefix("steps:") || $0.hasPrefix("builders:") }
        return runs && section != "builders" ? whole : whole + "steps: []\n"
    }
}
