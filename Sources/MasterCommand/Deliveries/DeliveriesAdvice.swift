/// The commands that show what became of reports, as a person can paste them.
struct DeliveriesAdvice: Sendable {
    /// The options that name the base folder, with a space in front.
    let options: String

    /// The end of a sentence: a subcommand of `deliveries` with its arguments, and what it is for.
    func to(_ purpose: String, _ words: String) -> String {
        "to \(purpose): \(RootCommand.programName) deliveries \(words)\(options)"
    }

    /// How a closed reporter is opened again.
    func toOpenAgain(_ reporter: String) -> String {
        to("open it again", "resume \(reporter.shellQuoted)")
    }
}
