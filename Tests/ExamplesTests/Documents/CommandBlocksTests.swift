import FoundationEssentials
import Testing

/// Every command in the documents refers to existing files and is accepted by the package's
/// programs.
@Suite(.timeLimit(.minutes(5)))
struct CommandBlocksTests {
    private static let commands: [[String]] = {
        do {
            let blocks = try Documents.blocks().filter { $0.language == "console" }
            let lines = blocks.flatMap { $0.text.split(separator: "\n") }
            let commands = lines.flatMap { line -> [Substring] in line.split(separator: "&&") }
            return commands.map { $0.split(separator: " ").map(String.init) }
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    @Test func `the two commands stand in the README as they are`() throws {
        let blocks = try CodeBlock.all(in: Documents.readme).filter { $0.language == "console" }
        #expect(
            blocks.prefix(2).map(\.text) == [
                ".ci/setup && swift run buildmaster run --receiver\n", ".ci/test\n",
            ])
    }

    @Test(arguments: commands)
    func `a command names what there is, and a run of it succeeds`(_ words: [String]) async throws {
        switch words.first {
        case "swift":
            try #require(words.count > 2 && words[1] == "run", "\(words)")
            try await run(BuiltProgram(name: words[2]), Array(words[3...]))
        case let script?:
            try #require(script.hasPrefix(".ci/"), "\(words): a command that no test knows")
            let path = "\(Checkout.folder)/\(script)"
            #expect(FileManager.default.isExecutableFile(atPath: path), "\(script)")
        case nil:
            Issue.record("an empty command")
        }
    }

    private func run(_ program: BuiltProgram, _ arguments: [String]) async throws {
        try #require(program.isBuilt, "\(program.name)")
        let ended = try await MasterCopy.run(program, arguments)
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
    }
}
