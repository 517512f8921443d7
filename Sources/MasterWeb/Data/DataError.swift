internal import MasterKit

/// A request that has no answer but an error.
struct DataError: Error, Hashable {
    enum Kind: Int {
        case badRequest = 400
        case forbidden = 403
        case notFound = 404
        case failed = 500
    }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    static func noField(_ name: String) -> DataError {
        DataError(.badRequest, "no such field '\(name)'")
    }

    static func unrecognized(_ name: String) -> DataError {
        DataError(.badRequest, "unrecognized query parameter '\(name)'")
    }

    static func invalidPath(_ path: [String]) -> DataError {
        DataError(.notFound, "Invalid path: \(path.joined(separator: "/"))")
    }

    static func missing(_ path: [String]) -> DataError {
        DataError(.notFound, "not found: \(path.joined(separator: "/"))")
    }
}

extension DataAnswer {
    init(_ error: DataError) {
        self.init(
            error.kind.rawValue, headers: [("content-type", "text/plain; charset=utf-8")],
            body: .bytes(Self.compact.bytes(["error": .string(error.message)])))
    }

    /// JSON for a program, or indented for a person.
    init(_ value: JSONValue, _ request: DataRequest) {
        self.init(
            headers: [
                (
                    "content-type",
                    "\(request.acceptsJSON ? "application/json" : "text/plain"); charset=utf-8"
                )
            ],
            body: .bytes((request.acceptsJSON ? Self.compact : Self.indented).bytes(value)))
    }

    static let compact = JSONWriter(escapesNonASCII: true)
    private static let indented = JSONWriter(
        indentation: 2, spacesAfterSeparators: true, escapesNonASCII: true)
}
