/// Reads one file, parsing it again after each syntax error until all of them are reported.
struct DocumentReader {
    private static let maximumProblemCount = 20
    /// The maximum number of bytes that are parsed again to find further mistakes.
    private static let maximumRereading = 64 << 20
    /// The maximum number of directives; libyaml compares each one with all others.
    private static let maximumDirectiveCount = 50

    private let file: SourceFile
    private var repair: SyntaxRepair
    private var problems: [Diagnostic] = []
    /// The offsets of all problems so far.
    private var explained: [Range<Int>] = []

    init(file: SourceFile) {
        self.file = file
        self.repair = SyntaxRepair(file)
    }

    mutating func read() -> YAMLParser.Output {
        guard directiveCount <= Self.maximumDirectiveCount else {
            return YAMLParser.refusal(
                "the file has more than \(Self.maximumDirectiveCount) lines that start with '%'; "
                    + "remove them", name: file.name)
        }
        while true {
            var composer = Composer(
                file: file, repairs: repair.stretches, lacksSections: repair.lacksSections)
            let outcome = EventReader.reading(repair.bytes) { composer.compose($0) }
            switch outcome {
            case nil:
                return YAMLParser.refusal("not enough memory to read the file", name: file.name)
            case .finished(let root): return finished(root, composer)
            case .refused: return output(nil, composer)
            case .failed(let problem):
                guard canGoOn(after: problem, composer) else { return output(nil, composer) }
            }
        }
    }

    /// Reports a syntax error; false when reading cannot continue.
    private mutating func canGoOn(after problem: SyntaxProblem, _ composer: Composer) -> Bool {
        let explainer = SyntaxExplainer(
            file: file, bytes: repair.bytes, problem: problem, lastEvent: composer.lastEvent,
            lastScalar: composer.lastScalar, openBracket: composer.openBracket)
        var explanation = explainer.explain()
        if isConsequence(explanation) {
            explanation.recovery = .skipSection
        } else {
            problems.append(explanation.diagnostic(in: file))
        }
        explained.append(explanation.offsets)
        return explained.count < Self.maximumProblemCount
            && explained.count * file.bytes.count < Self.maximumRereading
            && repair.apply(explanation)
    }

    /// Whether a problem overlaps or directly follows a reported one, and so is its consequence.
    private func isConsequence(_ explanation: SyntaxExplanation) -> Bool {
        let start = explanation.offsets.lowerBound
        return explained.contains { earlier in
            earlier.overlaps(explanation.offsets)
                || earlier.upperBound <= start
                    && file.bytes[earlier.upperBound..<start].allSatisfy(\.isBlank)
        }
    }

    private func finished(_ root: YAMLNode?, _ composer: Composer) -> YAMLParser.Output {
        guard !repair.lacksSections else { return output(nil, composer) }
        let isEmpty = root.map { $0.isNull && $0.place?.offsets.isEmpty ?? false } ?? true
        guard isEmpty, problems.isEmpty, composer.diagnostics.isEmpty else {
            return output(root, composer)
        }
        return YAMLParser.refusal("the file is empty", name: file.name)
    }

    private func output(_ root: YAMLNode?, _ composer: Composer) -> YAMLParser.Output {
        let diagnostics = (problems + composer.diagnostics).enumerated().sorted {
            let left = $0.element.range?.start.offset ?? .max
            let right = $1.element.range?.start.offset ?? .max
            return (left, $0.offset) < (right, $1.offset)
        }
        return YAMLParser.Output(
            file: file, root: root, diagnostics: diagnostics.map(\.element),
            aliasUses: AliasUses(composer.aliases))
    }

    /// The number of lines with `%` before the document.
    private var directiveCount: Int {
        var count = 0
        for number in 1...file.lineCount {
            guard
                let first = file.bytes[file.byteRange(ofLine: number)].first(where: { !$0.isBlank })
            else { continue }
            if first == .percent { count += 1 } else if first != .hash { break }
        }
        return count
    }
}

/// A copy of a file in which syntax errors are overwritten, so that the rest can be parsed.
///
/// Every other byte keeps its offset.
struct SyntaxRepair {
    private(set) var bytes: [UInt8]
    /// The ranges of overwritten values.
    private(set) var stretches: [Range<Int>] = []
    /// Whether whole sections were skipped.
    private(set) var lacksSections = false

    init(_ file: SourceFile) { bytes = file.bytes }

    /// Overwrites a mistake; false when that changes nothing and parsing again would be pointless.
    mutating func apply(_ explanation: SyntaxExplanation) -> Bool {
        switch explanation.recovery {
        case .stop: return false
        case .overwrite(let value):
            stretches.append(value)
            return fill(value, with: UInt8(ascii: "x"))
        case .dropTag(let tag):
            stretches.append(tag.lowerBound..<explanation.offsets.upperBound)
            return fill(tag, with: .space)
        case .skipSection:
            let finder = SectionFinder(bytes)
            let start = finder.start(before: explanation.offsets.lowerBound)
            let end = finder.end(after: explanation.offsets.lowerBound)
            lacksSections = true
            return fill(start..<end, with: .space)
        }
    }

    private mutating func fill(_ range: Range<Int>, with filler: UInt8) -> Bool {
        var hasChanged = false
        for offset in range where !bytes[offset].isLineBreak && bytes[offset] != filler {
            bytes[offset] = filler
            hasChanged = true
        }
        return hasChanged
    }
}

/// Finds top-level sections: lines that start with a plain key at column 1.
struct SectionFinder {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the start of the section that holds an offset; 0 when there is none before it.
    func start(before offset: Int) -> Int {
        var line = startOfLine(min(offset, bytes.count))
        while line > 0, !beginsSection(at: line) { line = startOfLine(line - 1) }
        return line
    }

    /// Returns the start of the next section after the line of an offset, or the end of the file.
    func end(after offset: Int) -> Int {
        var line = startOfNextLine(offset)
        while line < bytes.count, !beginsSection(at: line) { line = startOfNextLine(line) }
        return line
    }

    private func startOfLine(_ offset: Int) -> Int {
        var start = offset
        while start > 0, !bytes[start - 1].isLineBreak { start -= 1 }
        return start
    }

    private func startOfNextLine(_ offset: Int) -> Int {
        var next = offset
        while next < bytes.count, !bytes[next].isLineBreak { next += 1 }
        return min(next + 1, bytes.count)
    }

    private func beginsSection(at line: Int) -> Bool {
        var end = line
        while end < bytes.count, bytes[end].isNameCharacter || bytes[end] == UInt8(ascii: ".") {
            end += 1
        }
        guard end > line, bytes[line] != .dash, end < bytes.count, bytes[end] == .colon else {
            return false
        }
        return end + 1 == bytes.count || bytes[end + 1].isBlankOrBreak
    }
}
