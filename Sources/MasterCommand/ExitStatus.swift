internal import MasterKit

/// The status with which the program ends.
struct ExitStatus: Sendable, Hashable {
    /// The number that the caller sees.
    let code: Int32

    /// What was asked for came about: success, warnings, skipped.
    static let success = ExitStatus(code: 0)
    /// A build failed, or the program cannot work here.
    static let failure = ExitStatus(code: 1)
    /// The configuration is wrong.
    static let configuration = ExitStatus(code: 2)
    /// The arguments are wrong.
    static let usage = ExitStatus(code: 64)

    /// The status after a signal, as shells count it.
    static func signal(_ number: Int32) -> ExitStatus { ExitStatus(code: 128 + number) }

    /// The status for the worst result of a run.
    init(_ results: Results?) {
        switch results {
        case .success, .warnings, .skipped, nil: self = .success
        case .failure, .exception, .retry, .cancelled: self = .failure
        }
    }

    private init(code: Int32) { self.code = code }
}
