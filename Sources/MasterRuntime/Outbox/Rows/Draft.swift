import MasterKit

/// What a generator made of an event, before it is stored.
struct Draft: Sendable {
    /// A report as it is stored, or why there is none.
    enum Content: Sendable {
        case report(String)
        case fault(String)
    }

    /// The place of the generator among those of its reporter.
    let part: Int
    /// What it made.
    let content: Content
}
