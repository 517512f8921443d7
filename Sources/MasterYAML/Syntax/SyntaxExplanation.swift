/// A mistake in words, and how the rest of the file can be read nevertheless.
struct SyntaxExplanation {
    /// How to go on after a mistake.
    enum Recovery {
        /// Read a harmless word in place of this value, which takes part of one line.
        case overwrite(Range<Int>)
        /// Read the node after this tag as if the tag were not there.
        case dropTag(Range<Int>)
        /// Leave out the top-level section in which the mistake stands.
        case skipSection
        /// Nothing that follows could be trusted.
        case stop
    }

    let message: String
    /// Where the mistake is, which may be far before the place that libyaml stumbles over.
    let offsets: Range<Int>
    var notes: [(message: String, offsets: Range<Int>)] = []
    var replacement: String?
    var recovery = Recovery.skipSection

    /// Makes the diagnostic.
    func diagnostic(in file: SourceFile) -> Diagnostic {
        let range = file.range(ofUTF8: offsets)
        return Diagnostic(
            .error,
            message,
            file: file,
            range: range,
            notes: notes.map { Diagnostic.Note($0.message, range: file.range(ofUTF8: $0.offsets)) },
            fix: replacement.map { Diagnostic.Fix(replacement: $0, range: range) }
        )
    }
}
