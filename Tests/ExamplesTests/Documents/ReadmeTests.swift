import FoundationEssentials
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ReadmeTests {
    private static let blocks: [CodeBlock] = {
        do {
            return try CodeBlock.all(in: Documents.readme)
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    private func blocks(_ language: String) -> [String] {
        Self.blocks.filter { $0.language == language }.map(\.text)
    }

    @Test func `it is short`() throws {
        let lines = try Checkout.lines(of: Documents.readme)
        #expect(lines.count <= 151)
        #expect(lines.allSatisfy { $0.count <= 140 })
    }

    @Test func `its master yaml is the real one`() throws {
        #expect(blocks("yaml").contains(try Checkout.text(of: "master.yaml")))
    }

    @Test func `its Swift, and that of the other documents, is run elsewhere`() throws {
        let folders = ["Examples/CustomMaster", "Examples/CustomPlugin/Sources/CustomPlugin"]
        let examples = try folders.flatMap { folder in
            try Checkout.names(in: folder).filter { $0.hasSuffix(".swift") }
                .map { try Checkout.text(of: "\(folder)/\($0)") }
        }
        let tests = try [
            "StandardPluginsTests/DocumentedCodeTests", "MasterKitTests/Plugins/OwnKindTests",
            "MasterTestingTests/TestItTests",
        ].map { try Self.unindented(Checkout.text(of: "Tests/\($0).swift")) }
        #expect(!blocks("swift").isEmpty)
        for block in try Documents.blocks() where block.language == "swift" {
            #expect(
                examples.contains(block.text)
                    || tests.contains { $0.contains(Self.unindented(block.text)) },
                "\(block)")
        }
    }

    /// Removes leading spaces from lines.
    private static func unindented(_ text: String) -> String {
        text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: "\n")
    }

    @Test func `what it says one sees is what one sees`() async throws {
        let excerpt = try #require(blocks("text").first)
        let ended = try await MasterCopy.run(.buildmaster, ["run", "--receiver"])
        let seen = Set(ended.output.split(separator: "\n").map { Self.lasting($0) })
        #expect(ended.status == 0, "\(ended.output)\(ended.error)")
        for line in excerpt.split(separator: "\n") where line != "…" {
            #expect(seen.contains(Self.lasting(line)), "\(line)")
        }
    }

    /// Replaces the parts of a line that differ between runs: times, sizes, counts, ports, widths.
    private static func lasting(_ line: Substring) -> String {
        String(line)
            .replacing(/127\.0\.0\.1:[0-9]+/, with: "RECEIVER")
            .replacing(/[0-9.]+ (s|m [0-9]+ s|KiB|B)/, with: "N")
            .replacing(/→ #[0-9]+/, with: "→ #N")
            .replacing(/[ ]{2,}/, with: "  ")
    }

    @Test func `every file that it links to is there`() throws {
        let links = try Checkout.text(of: Documents.readme).matches(of: /\]\(([^)#:]+)\)/)
        #expect(!links.isEmpty)
        for link in links {
            let path = "\(Checkout.folder)/\(link.1)"
            #expect(FileManager.default.fileExists(atPath: path), "\(link.1)")
        }
    }
}
