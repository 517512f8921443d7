/// The headers of a message, read only when somebody asks: most never are.
enum MessageHead: Sendable {
    case read(HTTPHeaders)
    case unread([UInt8])

    /// The headers.
    var headers: HTTPHeaders {
        switch self {
        case .read(let headers): headers
        case .unread(let bytes): HTTPHeaders(head: bytes)
        }
    }
}

extension MessageHead: Hashable {
    /// Compares the headers, read or not.
    static func == (one: MessageHead, other: MessageHead) -> Bool {
        one.headers == other.headers
    }

    /// Hashes the headers, read or not.
    func hash(into hasher: inout Hasher) {
        hasher.combine(headers)
    }
}
