/// Reads one file, as often as it takes to report the mistakes of its syntax.
struct DocumentReader {
    let file: SourceFile

    /// Reads the file.
    func read() -> YAMLParser.Output {
        var composer = Composer(file: file)
        let outcome = EventReader.reading(file.bytes) { composer.compose($0) }
        switch outcome {
        case .finished(let root?): return output(root, composer.diagnostics)
        case .finished(nil):
            return output(nil, [Diagnostic(.error, "the file is empty", file: file)])
        case .refused: return output(nil, composer.diagnostics)
        case .failed(let problem):
            return output(nil, [Diagnostic(.error, problem.problem, file: file)])
        case nil: return YAMLParser.refusal("there is no memory to read the file", name: file.name)
        }
    }

    private func output(_ root: YAMLNode?, _ diagnostics: [Diagnostic]) -> YAMLParser.Output {
        YAMLParser.Output(file: file, root: root, diagnostics: diagnostics)
    }
}
