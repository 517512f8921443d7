/// The outcome of a step, a build, a build request or a buildset.
///
/// Raw values are the data API's codes; see ``severity`` for the order from best to worst.
public enum Results: Int, Sendable, Hashable, CaseIterable, Codable {
    case success = 0
    case warnings = 1
    case failure = 2
    case skipped = 3
    case exception = 4
    case retry = 5
    case cancelled = 6

    /// The name as used in files and displays, for example `success`.
    public var name: String { String(describing: self) }

    /// Returns the result with a name such as `failure`.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// The rank from best (0) to worst: skipped, success, warnings, failure, exception, retry,
    /// cancelled.
    public var severity: Int {
        switch self {
        case .skipped: 0
        case .success: 1
        case .warnings: 2
        case .failure: 3
        case .exception: 4
        case .retry: 5
        case .cancelled: 6
        }
    }

    /// Returns the worse of two results; `nil` ranks below any result.
    public static func worst(_ one: Results?, _ other: Results?) -> Results? {
        guard let one, let other else { return one ?? other }
        return one.severity >= other.severity ? one : other
    }

    /// Returns the name of a result, or `not finished` for `nil`.
    public static func text(_ results: Results?) -> String {
        results?.name ?? "not finished"
    }
}
