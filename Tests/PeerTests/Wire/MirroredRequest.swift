import MasterKit

/// The request as returned by `httpbin`, without unavoidable differences.
struct MirroredRequest: Hashable {
    private enum Line: Hashable {
        case json(JSONValue)
        case text(Substring)
    }

    private static let defaults = ["User-Agent", "Accept-Encoding", "Connection"]

    private let lines: [Line]

    /// Parses a body: as one value, as one value per line, or as plain lines if it is not JSON.
    ///
    /// A final line break is ignored, since logs always have one.
    init(_ text: String) {
        if let whole = Self.json(text[...]) {
            lines = [whole]
        } else {
            let body = text.hasSuffix("\n") ? text.dropLast() : text[...]
            lines = body.split(separator: "\n", omittingEmptySubsequences: false)
                .map { Self.json($0) ?? .text($0) }
        }
    }

    private static func json(_ text: Substring) -> Line? {
        do {
            return .json(level(try JSONValue(parsing: String(text))))
        } catch {
            return nil
        }
    }

    private static func level(_ value: JSONValue) -> JSONValue {
        guard case .object(var mirror) = value, case .object(var headers)? = mirror["headers"]
        else { return value }
        for name in defaults { headers[name] = nil }
        if headers["Content-Type"]?.stringValue?.hasPrefix("multipart/") == true {
            headers["Content-Type"] = "multipart/form-data"
        }
        mirror["headers"] = .object(headers)
        return .object(mirror)
    }
}
