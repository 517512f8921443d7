import FoundationEssentials
import MasterTesting
import Testing

/// Every command in the documents refers to existing files and is accepted by the package's
/// programs.
@Suite(.timeLimit(.minutes(5)))
struct CommandBlocksTests {
    private static let commands: [[String]] = {
        do {
            let blocks = try Documents.blocks().filter {
                $0.language == "console" && !isSession($0)
            }
            let lines = blocks.flatMap { $0.text.split(separator: "\n") }
            let commands = lines.flatMap { line -> [Substring] in line.split(separator: "&&") }
            return commands.map { $0.split(separator: " ").map(String.init) }
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Whether the commands of a block are typed one after another, as by a reader.
    private static func isSession(_ block: CodeBlock) -> Bool {
        block.language == "console" && block.text.hasPrefix("buildmaster ")
    }

    @Test func `commands that build on each other succeed in their order`() async throws {
        let sessions = try Documents.blocks().filter(Self.isSession)
        #expect(!sessions.isEmpty)
        for session in sessions {
            try await TemporaryFolder.with { folder in
                try await withLoopbackServer { server in
                    try await follow(session, in: folder, "127.0.0.1:\(server.port)")
                    #expect(!server.requests.isEmpty)
                }
            }
        }
    }

    /// Types the commands of a session; reports go to another receiver, on a free port.
    private func follow(
        _ session: CodeBlock, in folder: TemporaryFolder, _ receiver: String
    ) async throws {
        var place = ""
        for line in session.text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words[0] != "cd" else {
                place += words[1] + "/"
                try folder.point(place + "master.yaml", to: receiver)
                continue
            }
            try #require(words[0] == "buildmaster", "\(session): \(line)")
            let ended = try await BuiltProgram.buildmaster.run(
                words.dropFirst().filter { $0 != "--receiver" }, in: "\(folder.path)/\(place)")
            #expect(ended.status == 0, "\(line): \(ended.output)\(ended.error)")
        }
    }

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
