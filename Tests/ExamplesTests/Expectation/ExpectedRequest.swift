import MasterKit
import MasterTesting
import Testing

/// A request that a receiver is expected to get.
struct ExpectedRequest: Sendable, CustomStringConvertible {
    let method: String
    let path: String
    private let contentType: String?
    private let text: ExpectedValue?
    private let parts: [(pointer: JSONPointer, value: ExpectedValue)]
    private let absent: [JSONPointer]
    let description: String

    init(_ value: JSONValue) throws {
        description = value.description
        method = try #require(value["method"]?.stringValue)
        path = try #require(value["path"]?.stringValue)
        contentType = value["contentType"]?.stringValue
        text = value["text"].map { ExpectedValue($0) }
        parts = try (value["json"]?.objectValue ?? [:]).map { part in
            (try JSONPointer(parsing: part.key), ExpectedValue(part.value))
        }
        absent = try (value["absent"]?.arrayValue ?? []).map { pointer in
            try JSONPointer(parsing: #require(pointer.stringValue))
        }
    }

    /// The builder of the build in the request, if specified.
    var builder: String? {
        parts.first { $0.pointer.description == "/builder/name" }?.value.description
    }

    /// Whether the request matches.
    func admits(_ request: ReceivedRequest) throws -> Bool {
        guard method == request.method, path == request.target,
            contentType == nil || contentType == request.header("Content-Type"),
            try text?.admits(.string(request.text)) ?? true
        else { return false }
        guard !parts.isEmpty || !absent.isEmpty else { return true }
        let body = try JSONValue(parsing: request.body)
        return try parts.allSatisfy { try $0.value.admits(body.at($0.pointer)) }
            && absent.allSatisfy { body.at($0) == nil }
    }
}

extension [ExpectedRequest] {
    /// Compares the requests with the expected ones and reports all differences.
    func compare(with requests: [ReceivedRequest]) throws {
        var left = Swift.Array(requests.enumerated())
        var last: [String: Int] = [:]
        for expected in self {
            guard let index = try left.firstIndex(where: { try expected.admits($0.element) }) else {
                Issue.record("no request is \(expected); there are \(requests.map(\.line))")
                continue
            }
            let position = left.remove(at: index).offset
            let lane = "\(expected.path) \(expected.builder ?? "")"
            #expect(last[lane] ?? -1 < position, "\(expected) came too early")
            last[lane] = position
        }
        #expect(left.map(\.element.line) == [], "not expected")
    }
}

extension ReceivedRequest {
    fileprivate var line: String { "\(method) \(target) \(text)" }
}
