import FoundationEssentials
import MasterKit

/// One try of a delivery, as it is kept: masked.
struct Attempt: Sendable {
    /// The longest part of a reason that is kept, in bytes.
    static let errorLimit = 4096

    /// Which try it was, from 1.
    let number: Int
    /// When it began.
    let at: Date
    /// How long it took.
    let duration: Duration
    /// The status of the answer, when there was one.
    var status: Int?
    /// Why the report was not delivered.
    var error: String?
    /// The beginning of the answer's text.
    var answer: String?
}
