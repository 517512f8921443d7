public import FoundationEssentials

/// An HTTP request as it arrived.
public struct ReceivedRequest: Sendable, Hashable {
    /// A header, spelled as it was sent.
    public struct Header: Sendable, Hashable {
        /// The name.
        public let name: String
        /// The value.
        public let value: String

        /// Creates a header.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How much of the request arrived.
    public enum Extent: Sendable, Hashable {
        /// All of it.
        case whole
        /// The connection closed before the end of the body.
        case cutShort
        /// The body is larger than the receiver accepts, and was dropped.
        case tooLarge
    }

    /// Its number in the order of arrival, from 1.
    public let number: Int
    /// The time at which its headers had arrived.
    public let receivedAt: Date
    /// The method, such as `POST`.
    public let method: String
    /// The path with the query, as it was sent.
    public let target: String
    /// The headers in order.
    public let headers: [Header]
    /// The body, as far as it arrived.
    public let body: [UInt8]
    /// How much of it arrived.
    public let extent: Extent

    /// Creates a request.
    public init(
        number: Int, receivedAt: Date, method: String, target: String, headers: [Header] = [],
        body: [UInt8] = [], extent: Extent = .whole
    ) {
        self.number = number
        self.receivedAt = receivedAt
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.extent = extent
    }

    /// Returns the value of the first header with a name, ignoring case.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }
}
