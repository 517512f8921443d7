import MasterKit
import MasterTesting

/// A request as sent, in a form that can be compared.
struct WireRequest: Hashable, Sendable {
    struct Header: Hashable, Sendable {
        var name: String
        var value: String
    }

    var method: String
    var target: String
    var headers: [Header]
    var body: [UInt8]

    /// Reads a request received by a server.
    init(_ received: ReceivedRequest) {
        method = received.method
        target = received.target
        headers = received.headers.map { Header(name: $0.name, value: $0.value) }
        body = received.body
    }

    /// Reads a request from a file: method, target, header lines and body.
    init?(_ captured: JSONValue) {
        guard let method = captured["method"]?.stringValue,
            let target = captured["target"]?.stringValue,
            let lines = captured["headers"]?.arrayValue?.compactMap(\.stringValue),
            let body = captured["body"]?.stringValue
        else { return nil }
        self.method = method
        self.target = target
        self.body = Array(body.utf8)
        headers = lines.map { line in
            let name = line.prefix { $0 != ":" }
            return Header(name: String(name), value: String(line.dropFirst(name.count + 2)))
        }
    }

    /// The value of the first header with a name.
    subscript(name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Removes differences from the request.
    func levelled(_ differences: [Difference]) -> WireRequest {
        differences.reduce(into: self) { $1.level(&$0) }
    }

    /// Replaces a text in the headers.
    func replacing(_ text: some StringProtocol, with other: String) -> WireRequest {
        var request = self
        for index in headers.indices {
            request.headers[index].value.replace(text, with: other)
        }
        return request
    }

    /// Changes the values of all headers with a name; `nil` removes them.
    mutating func map(_ name: String, _ change: (String) -> String?) {
        headers = headers.compactMap { header in
            guard header.name.lowercased() == name.lowercased() else { return header }
            return change(header.value).map { Header(name: header.name, value: $0) }
        }
    }
}

extension WireRequest: CustomStringConvertible {
    /// The request as sent, so that failing tests show the difference.
    var description: String {
        let lines = ["\(method) \(target)"] + headers.map { "\($0.name): \($0.value)" }
        return lines.joined(separator: "\n") + "\n\n" + String(decoding: body, as: UTF8.self)
    }
}
