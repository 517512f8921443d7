internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime
internal import MasterWebSocket
internal import NIOCore
internal import NIOHTTP1

/// A request to the web server, checked and taken apart.
struct WebRequest: Sendable {
    /// The most bytes of a body, unless a path allows more.
    static let bodyLimit = 256 << 10

    let method: String
    /// The parts of the path, decoded; a slash at the end makes an empty last part.
    let path: [String]
    /// The items of the query, decoded, in order.
    let query: [(name: String, value: String)]
    let headers: HTTPFields
    /// The value of `Host`.
    let authority: String
    /// The IP address of the sender, which may be a proxy.
    let remote: String
    var body: [UInt8] = []

    /// Takes a request apart.
    ///
    /// - Throws: ``WebFault`` if it is not one that this server answers.
    init(_ head: HTTPTypes.HTTPRequest, from remote: SocketAddress?) throws(WebFault) {
        let target = head.path ?? ""
        guard target.hasPrefix("/") else {
            throw WebFault(.badRequest, "the target of the request must be a path")
        }
        // Servers that read different ones could be played off against each other.
        guard let authority = head.authority, head.headerFields[values: .host].isEmpty else {
            throw WebFault(.badRequest, "the request needs exactly one Host header")
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path: [String] = []
        for part in parts[0].dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let text = Self.decoded(part), !text.utf8.contains(0) else {
                throw WebFault(.badRequest, "the path of the request is wrongly encoded")
            }
            path.append(text)
        }
        guard let query = Self.form(parts.count > 1 ? parts[1] : "") else {
            throw WebFault(.badRequest, "the query of the request is wrongly encoded")
        }
        method = head.method.rawValue
        self.path = path
        self.query = query
        headers = head.headerFields
        self.authority = authority
        let address = remote?.ipAddress ?? ""
        // Where both are listened on, addresses of IPv4 come as those of IPv6.
        let mapped = "::ffff:"
        self.remote =
            address.hasPrefix(mapped) && address.contains(".")
            ? String(address.dropFirst(mapped.count)) : address
    }

    /// The value of the first header with a name.
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    /// The value of a query item.
    func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// The value of a cookie.
    func cookie(_ name: String) -> String? {
        for header in headers[values: .cookie] {
            for item in header.split(separator: ";") {
                let pair = item.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if pair.count == 2, pair[0] == name { return String(pair[1]) }
            }
        }
        return nil
    }

    /// The media type of the body, without parameters, in lower case.
    var mediaType: String {
        let type = headers[.contentType]?.prefix { $0 != ";" } ?? ""
        return type.lowercased().filter { $0 != " " && $0 != "\t" }
    }

    /// Whether a proxy has passed the request on.
    var isForwarded: Bool {
        headers.contains { ProxyHeader.isOne($0.name.canonicalName) }
    }

    /// The IP address of the sender, as a proxy on this machine tells it.
    var client: String {
        // The proxy adds its client at the end.
        guard WebOrigin.isLoopback(remote),
            let client = header("X-Forwarded-For")?.split(separator: ",").last
        else { return remote }
        return String(client.drop { $0 == " " }.prefix(64))
    }

    /// Whether it was sent by a person's browser to see a page.
    var wantsPage: Bool { headers[.accept]?.contains("text/html") == true }

    /// The items of a body that an HTML form sent.
    var form: [(name: String, value: String)] {
        guard mediaType == "application/x-www-form-urlencoded" else { return [] }
        return Self.form(Substring(decoding: body, as: UTF8.self)) ?? []
    }

    // MARK: Body

    /// Whether a body follows the headers.
    static func hasBody(_ head: HTTPTypes.HTTPRequest) -> Bool {
        head.headerFields[.transferEncoding] != nil
            || head.headerFields[.contentLength].map { $0 != "0" } ?? false
    }

    /// Reads a body within limits of size and time.
    ///
    /// - Throws: ``WebFault`` if it exceeds them, or what the connection or `note` throws, which is
    ///   called with the size of each part.
    static func body(
        of request: Request, limit: Int, within time: Duration,
        noting note: @escaping @Sendable (Int) throws -> Void = { _ in }
    ) async throws -> [UInt8] {
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= limit else { throw WebFault.tooLarge(limit) }
        return try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask {
                var bytes: [UInt8] = []
                for try await piece in request.body {
                    guard bytes.count + piece.readableBytes <= limit else {
                        throw WebFault.tooLarge(limit)
                    }
                    try note(piece.readableBytes)
                    bytes.append(contentsOf: piece.readableBytesView)
                }
                return bytes
            }
            group.addTask {
                try await Task.sleep(for: time)
                throw WebFault(
                    .requestTimeout, "the body took longer than \(time.components.seconds) s",
                    endsConnection: true)
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    // MARK: Encoding

    /// The items of a query or a form; `nil` if their encoding is wrong.
    static func form(_ text: Substring) -> [(name: String, value: String)]? {
        var items: [(name: String, value: String)] = []
        for item in text.split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(pair[0], plusIsSpace: true),
                let value = decoded(pair.count > 1 ? pair[1] : "", plusIsSpace: true)
            else { return nil }
            items.append((name, value))
        }
        return items
    }

    /// Decodes a part of a URL; `nil` if its encoding is wrong.
    static func decoded(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2)
                guard digits.count == 2, let text = String(digits), !text.hasPrefix("+"),
                    let value = UInt8(text, radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension HTTPField.Name {
    /// `Host`, which is in the headers only if it occurs twice.
    fileprivate static let host = HTTPField.Name("Host") ?? .accept
}

/// A request that gets an error for an answer.
struct WebFault: Error {
    let status: HTTPTypes.HTTPResponse.Status
    /// What is wrong, in one sentence.
    let message: String
    /// Whether the connection can't be used any more.
    var endsConnection = false
    /// The headers of the answer.
    var headers = HTTPFields()

    init(
        _ status: HTTPTypes.HTTPResponse.Status, _ message: String, headers: HTTPFields = [:],
        endsConnection: Bool = false
    ) {
        self.status = status
        self.message = message
        self.headers = headers
        self.endsConnection = endsConnection
    }

    static func tooLarge(_ limit: Int) -> WebFault {
        WebFault(
            .contentTooLarge,
            "the body has more than \(limit < 1 << 20 ? "\(limit >> 10) K" : "\(limit >> 20) M")iB",
            endsConnection: true)
    }

    static let notFound = WebFault(.notFound, "there is no such page")
}
