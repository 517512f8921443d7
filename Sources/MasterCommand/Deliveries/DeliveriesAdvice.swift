/// The commands that show what became of reports, as a person can paste them.
struct DeliveriesAdvice: Sendable {
    /// The options that name the base folder, with a space in front.
    let options: String

    /// A subcommand of `deliveries` with its arguments, in quotes.
    func command(_ words: String) -> String {
        "'\(RootCommand.programName) deliveries \(words)\(options)'"
    }
}
