internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit
internal import NIOCore

/// `/sse`: events as a stream of text.
extension WebSite {
    /// How often a client that hears of nothing gets a sign of life.
    private static let heartbeatTime: Duration = .seconds(15)

    /// Answers a request below `/sse`.
    func events(_ path: [String], _ request: WebRequest) throws(WebFault) -> Response {
        try requireMethod("GET", request)
        switch path.first {
        case "add", "remove": return try change(path[0] == "add", Array(path.dropFirst()))
        case "listen": return stream(Array(path.dropFirst()), request)
        default: return stream(path, request)
        }
    }

    private func change(_ isAdded: Bool, _ path: [String]) throws(WebFault) -> Response {
        guard let id = path.first, !id.isEmpty else { throw WebFault(.badRequest, "need uuid") }
        guard let client = hub.client(id) else { throw WebFault(.badRequest, "unknown uuid") }
        let pattern = Array(path.dropFirst())
        if isAdded {
            guard hub.add(pattern, to: client) else {
                throw WebFault(
                    .badRequest, "a client can listen to at most \(LiveHub.patternLimit) paths")
            }
        } else if !hub.remove(pattern, from: client) {
            throw WebFault(.notFound, "this path was not listened to")
        }
        return .text("ok")
    }

    /// Streams the events of a path, and of further ones in the items `path` of the query.
    private func stream(_ path: [String], _ request: WebRequest) -> Response {
        let more = request.query.filter { $0.name == "path" }.prefix(50).map {
            $0.value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        }
        let patterns = ([path] + more).filter { !$0.isEmpty && $0 != [""] }
        let body = ResponseBody { [hub] writer in
            let client = hub.connect()
            defer { hub.disconnect(client) }
            for pattern in patterns { _ = hub.add(pattern, to: client) }
            try await writer.write(
                ByteBuffer(string: "event: handshake\ndata: \(client.id)\n\n"))
            let heart = Task {
                // Ends with the stream.
                while true {
                    try await Task.sleep(for: Self.heartbeatTime)
                    client.send(.heartbeat)
                }
            }
            defer { heart.cancel() }
            for await messages in client.batches {
                var text = ByteBuffer()
                for message in messages { text.writeString(message.event) }
                try await writer.write(text)
            }
            if let reason = client.reason {
                try await writer.write(ByteBuffer(string: ": \(reason)\n\n"))
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream", .cacheControl: "no-cache",
                // A proxy must not keep events back.
                .xAccelBuffering: "no",
            ], body: body)
    }
}

extension HTTPField.Name {
    fileprivate static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .cacheControl
}
