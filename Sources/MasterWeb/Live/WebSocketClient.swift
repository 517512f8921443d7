internal import MasterKit
internal import MasterWebSocket
internal import NIOWebSocket

/// A client of `/ws`, which says by JSON messages what it wants to hear of.
struct WebSocketClient: Sendable {
    private let connection: WebSocketConnection
    private let hub: LiveHub

    init(_ connection: WebSocketConnection, _ hub: LiveHub) {
        self.connection = connection
        self.hub = hub
    }

    /// Serves the client until one side ends it.
    func serve(_ messages: inout WebSocketMessages) async throws {
        let client = hub.connect()
        defer { hub.disconnect(client) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pass(client) }
            while let message = try await messages.next() {
                guard case .text(let text) = message else {
                    throw WebSocketFault(.unacceptableData, "only text is understood here")
                }
                try await connection.send(
                    JSONWriter(escapesNonASCII: true).string(.object(answer(text, client))))
            }
            group.cancelAll()
        }
    }

    /// Sends what the client has asked for.
    private func pass(_ client: LiveClient) async throws {
        for await messages in client.batches { try await connection.send(messages.map(\.frame)) }
        if let reason = client.reason { try await connection.close(.goingAway, reason) }
    }

    private func answer(_ text: String, _ client: LiveClient) -> JSONObject {
        let request: JSONValue
        do {
            request = try JSONValue(parsing: text)
        } catch {
            return Self.fault(400, "the frame is not valid JSON: \(error)", nil)
        }
        guard let request = request.objectValue else {
            return Self.fault(400, "the frame is not a JSON object", nil)
        }
        guard let id = request["_id"] ?? request["type"] else {
            return Self.fault(400, "no '_id' or 'type' in websocket frame", nil)
        }
        guard let command = request["cmd"]?.stringValue else {
            return Self.fault(400, "no 'cmd' in websocket frame", nil)
        }
        switch command {
        case "ping": return Self.answer("pong", id)
        case "startConsuming", "stopConsuming":
            guard let path = request["path"] else {
                return Self.fault(400, "Invalid method argument: 'path' is missing", id)
            }
            guard let path = path.stringValue else {
                return Self.fault(
                    400, "invalid path format '\(JSONWriter.compact.string(path))'", id)
            }
            let pattern = path.split(separator: "/", omittingEmptySubsequences: false)
                .map(String.init)
            if command == "startConsuming" {
                guard hub.add(pattern, to: client) else {
                    return Self.fault(
                        400, "a client can consume at most \(LiveHub.patternLimit) paths", id)
                }
            } else if !hub.remove(pattern, from: client) {
                return Self.fault(400, "path was not consumed '\(path)'", id)
            }
            return Self.answer("OK", id)
        default:
            return Self.fault(404, "no such command type '\(command)'", id)
        }
    }

    private static func answer(_ message: String, _ id: JSONValue) -> JSONObject {
        ["msg": .string(message), "code": 200, "_id": id]
    }

    private static func fault(_ code: Int, _ message: String, _ id: JSONValue?) -> JSONObject {
        ["error": .string(message), "code": .int(code), "_id": id ?? .null]
    }
}
