/// What to do with an answer that points elsewhere.
public enum HTTPRedirects: Sendable, Hashable {
    /// Go there, at most so many times; one more is an error.
    case follow(limit: Int)
    /// Hand the answer out as it is.
    case none

    /// Follows at most thirty.
    public static let follow = HTTPRedirects.follow(limit: 30)
}
