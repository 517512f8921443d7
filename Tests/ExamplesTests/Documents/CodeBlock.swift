import FoundationEssentials

/// A fenced code block in a Markdown file.
struct CodeBlock: Sendable, CustomStringConvertible {
    /// The path of the file, relative to the repository root.
    let file: String
    /// The line of the opening fence, starting at 1.
    let line: Int
    /// The info string after the opening fence.
    let language: String
    /// The text between the fences, including line breaks.
    let text: String

    /// All blocks in a file, in order.
    static func all(in file: String) throws -> [CodeBlock] {
        var blocks: [CodeBlock] = []
        var opening: (line: Int, language: String)?
        var lines: [Substring] = []
        for (index, line) in try Checkout.lines(of: file).enumerated() {
            guard line.hasPrefix("```") else {
                lines.append(line)
                continue
            }
            if let (start, language) = opening {
                let text = lines.map { "\($0)\n" }.joined()
                blocks.append(CodeBlock(file: file, line: start, language: language, text: text))
                opening = nil
            } else {
                opening = (index + 1, String(line.dropFirst(3)))
            }
            lines = []
        }
        guard let opening else { return blocks }
        throw UnclosedFence(place: "\(file):\(opening.line)")
    }

    /// A fence that is never closed.
    struct UnclosedFence: Error {
        let place: String
    }

    var description: String { "\(file):\(line)" }
}

/// The documents of this package: the README and the pages about MasterKit.
enum Documents {
    static let readme = "README.md"
    private static let pages = "Sources/MasterKit/MasterKit.docc"

    /// The paths of all documents, relative to the repository root.
    static func all() throws -> [String] {
        [readme]
            + (try Checkout.names(in: pages)).filter { $0.hasSuffix(".md") }.map {
                "\(pages)/\($0)"
            }
    }

    /// All code blocks in all documents.
    static func blocks() throws -> [CodeBlock] {
        try all().flatMap { try CodeBlock.all(in: $0) }
    }
}
