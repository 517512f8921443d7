/// Why a command cannot go on, in a sentence with its remedy.
struct FailedRun: Error, CustomStringConvertible {
    /// The sentence.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
