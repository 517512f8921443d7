import FoundationEssentials

/// A fenced block of code in a Markdown file.
struct CodeBlock: Sendable, CustomStringConvertible {
    /// The file, by its path from the top folder.
    let file: String
    /// The line of the opening fence, from 1.
    let line: Int
    /// What stands behind the opening fence.
    let language: String
    /// The text between the fences, each line with its end.
    let text: String

    /// Every block of a file in order.
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

    /// Every document, by its path from the top folder.
    static func all() throws -> [String] {
        [readme]
            + (try Checkout.names(in: pages)).filter { $0.hasSuffix(".md") }.map {
                "\(pages)/\($0)"
            }
    }

    /// Every block of code in every document.
    static func blocks() throws -> [CodeBlock] {
        try all().flatMap { try CodeBlock.all(in: $0) }
    }
}
