/// The frame around a document.
extension SyntaxExplainer {
    /// Explains what stands before or after the document, and problems that are not in the text.
    func document() -> SyntaxExplanation? {
        if says("<document start>") {
            return SyntaxExplanation(
                message: "the document has ended before this line; a file has one document",
                offsets: word(at: problem.offset),
                recovery: .stop
            )
        }
        if says("incompatible YAML document") || says("duplicate %YAML") || says("duplicate %TAG") {
            let line = file.byteRange(ofLineAt: problem.offset)
            return SyntaxExplanation(
                message: "this directive is not understood; remove the line, YAML 1.2 is the rule",
                offsets: problem.offset..<max(line.upperBound, problem.offset),
                recovery: .stop
            )
        }
        if says("out of memory") {
            return SyntaxExplanation(
                message: "there is not enough memory to read the file",
                offsets: 0..<0,
                recovery: .stop
            )
        }
        return nil
    }
}
