internal import ArgumentParser
internal import MasterKit

/// A duration as options take it: `30`, `30s`, `5m`, `1h30m`.
struct DurationArgument: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    /// The duration.
    let duration: Duration
    /// How it was written.
    let description: String

    init?(argument: String) {
        guard let duration = Duration(spelling: argument) else { return nil }
        self.duration = duration
        description = argument
    }

    /// A whole number of seconds.
    init(seconds: Int) {
        duration = .seconds(seconds)
        description = "\(seconds)s"
    }
}
