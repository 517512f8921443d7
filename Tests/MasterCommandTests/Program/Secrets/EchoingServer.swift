import FoundationEssentials
import MasterTesting

/// A server that echoes everything it receives.
enum EchoingServer {
    /// Returns the whole request, in several encodings, in headers and body.
    static func answer(_ request: ReceivedRequest) -> ServerAnswer {
        let told = request.header("X-A") ?? request.header("X-Hook") ?? "nothing"
        let headers = [
            ("X-Echo", told), ("X-Echo-Target", request.target),
            ("X-Echo-Authorization", request.header("Authorization") ?? "none"),
            ("Set-Cookie", "echo=\(request.header("Cookie") ?? "none")"),
        ]
        if request.path == "/redirect" {
            let query = request.target.drop { $0 != "?" }
            return .respond(status: 302, headers: headers + [("Location", "/echo\(query)")])
        }
        let isReport = request.path.contains("/hook")
        let body = Array((isReport ? request.text : body(of: request)).utf8)
        if request.path == "/stream" {
            return .chunked(headers: headers, chunks: body.map { [$0] })
        }
        let status = request.path.hasPrefix("/refuse") ? 400 : 200
        return .respond(status: status, headers: headers, body: body)
    }

    private static func body(of request: ReceivedRequest) -> String {
        let escaped = request.text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
        let lines = [
            request.target, request.headerLines.joined(separator: "\n"), request.text, escaped,
            Data(request.body).base64EncodedString(),
        ]
        return lines.joined(separator: "\n")
    }
}
