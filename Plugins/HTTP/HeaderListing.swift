import MasterKit

/// Shows headers to people, the values of some of them hidden.
struct HeaderListing: Sendable {
    /// What stands in place of a hidden value.
    static let mark = "<HIDDEN>"

    /// The headers that carry credentials by nature.
    private static let credentials: Set = [
        "authorization", "cookie", "proxy-authorization", "set-cookie",
    ]

    private let hidden: Set<String>

    /// Hides the values of credentials and of the named headers, in whatever case.
    init(hiding names: [String] = []) {
        hidden = Self.credentials.union(names.map { $0.lowercased() })
    }

    /// A line for each header, in order.
    func lines(_ headers: HTTPHeaders) -> [String] {
        headers.map { header in
            let isHidden = hidden.contains(header.name.lowercased())
            return "\(header.name): \(isHidden ? Self.mark : header.value)"
        }
    }
}
