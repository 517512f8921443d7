internal import MasterKit

/// The place of a cursor in the structure of a file that is being written, found by its
/// indentation, since such a file is rarely valid.
struct CompletionPlace {
    /// The path of the value that the cursor is in: of the mapping for a key.
    private(set) var path: [SchemaWalk.Step] = []
    /// Whether the cursor is where a key, or the item of a list, may stand.
    private(set) var isKey = true
    /// What has been written of the word before the cursor.
    private(set) var partial = ""
    /// The keys that the mapping has on other lines.
    private(set) var siblings: Set<String> = []
    /// Whether the cursor is in brackets or braces.
    private(set) var isFlow = false
    /// Whether a comment, or a text in quotes, can't be completed.
    private(set) var isInert = false

    /// Finds the place of a cursor.
    ///
    /// - Parameters:
    ///   - prefix: The line of the cursor, up to it.
    ///   - above: The line with a number, counted from the cursor's upwards; `nil` beyond the file.
    ///   - below: The line with a number, counted from the cursor's downwards.
    init(
        prefix: String, above: (Int) -> String?, below: (Int) -> String?
    ) {
        let line = Line(prefix)
        isInert = line.text.hasPrefix("#") || line.text.contains(" #")
        guard !isInert else { return }
        var steps: [SchemaWalk.Step] = []
        if let key = line.key {
            steps.append(.key(key))
            read(value: line.value, &steps)
        } else if line.text.hasPrefix("{") || line.text.hasPrefix("[") {
            read(value: line.text, &steps)
        } else {
            partial = line.text
            isInert = partial.contains("\"") || partial.contains("'")
        }
        var climb = Climb(from: line, path: steps)
        let isMember = line.key == nil && !isFlow && line.dashes.isEmpty
        for distance in 1... {
            guard !climb.isAtTop, let text = above(distance) else { break }
            climb.pass(Line(text))
        }
        path = climb.path
        siblings = climb.siblings
        if isMember || !line.dashes.isEmpty {
            for distance in 1... {
                guard let text = below(distance) else { break }
                let other = Line(text)
                if other.isBlank { continue }
                guard other.start >= line.content, other.dashes.isEmpty else { break }
                if other.content == line.content, let key = other.key { siblings.insert(key) }
            }
        }
    }

    /// Reads what stands after a key, up to the cursor: a part of a value, possibly in braces.
    private mutating func read(value: String, _ steps: inout [SchemaWalk.Step]) {
        isKey = false
        // In quotes, or without brackets: the words of a plain text, after its tag or anchor.
        var (word, quote) = ("", Character?.none)
        var open: [(bracket: Character, keys: Int)] = []
        for character in value {
            if let mark = quote {
                if character == mark { quote = nil }
                continue
            }
            switch character {
            case "\"", "'": quote = character
            case "{", "[":
                if !word.isEmpty, open.isEmpty { word.append(character); continue }
                open.append((character, 0))
                if character == "[" { steps.append(.item) }
                (word, isKey) = ("", true)
            case "}", "]":
                guard let last = open.popLast() else { continue }
                steps.removeLast(last.keys + (last.bracket == "[" ? 1 : 0))
                (word, isKey) = ("", false)
            case ",":
                guard let last = open.last else { word.append(character); continue }
                steps.removeLast(last.keys)
                open[open.count - 1].keys = 0
                (word, isKey) = ("", true)
            case ":" where !open.isEmpty && isKey:
                steps.append(.key(word))
                open[open.count - 1].keys += 1
                (word, isKey) = ("", false)
            case " ": if open.isEmpty || !word.isEmpty, !word.hasPrefix("!") { word.append(" ") }
            default: word.append(character)
            }
        }
        isFlow = !open.isEmpty
        partial = String(word.drop { $0 == " " })
        isInert = quote != nil
    }

    /// One line of a file in block style.
    private struct Line {
        /// The columns of the dashes of list items that begin on the line.
        private(set) var dashes: [Int] = []
        /// The column after indentation and dashes.
        private(set) var content = 0
        /// The text from there.
        private(set) var text: String
        private(set) var key: String?
        /// What stands after the key.
        private(set) var value = ""

        var isBlank: Bool { text.isEmpty && dashes.isEmpty || text.hasPrefix("#") }

        /// The column of the first dash, or of the content.
        var start: Int { dashes.first ?? content }

        init(_ line: String) {
            var rest = line[...]
            while true {
                let spaces = rest.prefix { $0 == " " }
                content += spaces.count
                rest = rest.dropFirst(spaces.count)
                guard rest.hasPrefix("- ") || rest == "-" else { break }
                dashes.append(content)
                content += 1
                rest = rest.dropFirst()
            }
            text = String(rest)
            guard !text.hasPrefix("{"), !text.hasPrefix("["), !text.hasPrefix("#") else { return }
            if let colon = text.firstRange(of: ": ") {
                key = Self.plain(text[..<colon.lowerBound])
                value = String(text[colon.upperBound...])
            } else if text.hasSuffix(":") {
                key = Self.plain(text.dropLast())
            }
        }

        private static func plain(_ text: Substring) -> String {
            let quotes: Set<Character> = ["\"", "'"]
            return String(text).filter { !quotes.contains($0) }
        }

        /// Whether values of the key may follow on later lines.
        var opensValue: Bool {
            key != nil
                && value.split(separator: " ").allSatisfy { "&#!".contains($0.prefix(1)) }
        }
    }

    /// The way from a line up to the lines that it belongs to.
    private struct Climb {
        private(set) var path: [SchemaWalk.Step]
        private(set) var siblings: Set<String> = []
        /// The column of what was found last: a key, or the dash of an item.
        private var column: Int
        private var isDash = false
        private var isBeyondSiblings: Bool

        init(from line: Line, path: [SchemaWalk.Step]) {
            self.path = path
            column = line.content
            isBeyondSiblings = !path.isEmpty
            take(line.dashes)
        }

        var isAtTop: Bool { column == 0 && !isDash }

        mutating func pass(_ line: Line) {
            guard !line.isBlank else { return }
            if !isDash, line.content == column {
                if !isBeyondSiblings, let key = line.key { siblings.insert(key) }
            } else if line.content < column
                || isDash && line.content == column && line.dashes.isEmpty
            {
                guard line.opensValue, let key = line.key else { return }
                path.insert(.key(key), at: 0)
                (column, isDash, isBeyondSiblings) = (line.content, false, true)
            } else {
                return
            }
            take(line.dashes)
        }

        private mutating func take(_ dashes: [Int]) {
            for dash in dashes.reversed() where dash < column {
                path.insert(.item, at: 0)
                (column, isDash, isBeyondSiblings) = (dash, true, true)
            }
        }
    }
}
