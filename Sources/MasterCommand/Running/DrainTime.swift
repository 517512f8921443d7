/// How long a run waits for its reports in the end.
struct DrainTime: Sendable {
    /// The longest time.
    let limit: Duration
    /// Whether a receiver that was never there is waited for, too.
    let isPatient: Bool

    /// What is done when nothing is said.
    static let standard = DrainTime(limit: .seconds(10), isPatient: false)

    /// A time that somebody asked for.
    static func patient(_ limit: Duration) -> DrainTime {
        DrainTime(limit: limit, isPatient: true)
    }
}
