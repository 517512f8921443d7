internal import FoundationEssentials
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// Reads requests, passes them on and responds.
final class ReceiverResponder: Sendable {
    private let configuration: ReceiverConfiguration
    private let onRequest: @Sendable (ReceivedRequest) async -> Void
    private let counter = RequestCounter()

    init(
        configuration: ReceiverConfiguration,
        onRequest: @escaping @Sendable (ReceivedRequest) async -> Void
    ) {
        self.configuration = configuration
        self.onRequest = onRequest
    }

    /// Reads a request, passes it on, and responds after the delay.
    @concurrent
    func respond(to request: Request, with writer: consuming ResponseWriter) async throws {
        let receivedAt = Date()
        let received = try await readBody(of: request, informing: writer)
        await counter.pass(to: onRequest) { number in
            Self.record(number, request, receivedAt: receivedAt, received)
        }
        if let failure = received.failure { throw failure }
        guard received.extent == .whole else {
            return try await writer.write(answer(413, "the body is too large"))
        }
        if configuration.delay > .zero { try await Task.sleep(for: configuration.delay) }
        let status = configuration.status
        let text =
            (200...299).contains(status) ? "received" : "answered with \(status) as requested"
        try await writer.write(answer(status, text, to: request.method))
    }

    /// The body as far as it was read.
    private struct ReceivedBody {
        var body: [UInt8] = []
        var extent = ReceivedRequest.Extent.whole
        var failure: (any Error)?
    }

    @concurrent
    private func readBody(
        of request: Request, informing writer: borrowing ResponseWriter
    ) async throws -> ReceivedBody {
        var received = ReceivedBody()
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= configuration.bodyLimit else {
            received.extent = .tooLarge
            return received
        }
        if request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        received.body.reserveCapacity(announced)
        do {
            for try await piece in request.body {
                guard received.body.count + piece.readableBytes <= configuration.bodyLimit else {
                    return ReceivedBody(extent: .tooLarge)
                }
                received.body.append(contentsOf: piece.readableBytesView)
            }
        } catch {
            received.extent = .cutShort
            received.failure = error
        }
        return received
    }

    private static func record(
        _ number: Int, _ request: Request, receivedAt: Date, _ received: ReceivedBody
    ) -> ReceivedRequest {
        let host = request.head.authority.map { [ReceivedRequest.Header("Host", $0)] } ?? []
        return ReceivedRequest(
            number: number, receivedAt: receivedAt, method: request.method.rawValue,
            target: request.head.path ?? "",
            headers: host + request.headers.map { .init($0.name.rawName, $0.value) },
            body: received.body, extent: received.extent)
    }

    private func answer(
        _ status: Int, _ text: String, to method: HTTPRequest.Method = .post
    ) -> Response {
        let status = HTTPResponse.Status(code: status)
        guard method != .head, status.code != 204, status.code != 304 else {
            return Response(status: status)
        }
        return Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }
}

/// Numbers requests and starts passing them on in that order.
private actor RequestCounter {
    private var count = 0

    func pass(
        to receive: @Sendable (ReceivedRequest) async -> Void,
        _ request: @Sendable (Int) -> ReceivedRequest
    ) async {
        count += 1
        await receive(request(count))
    }
}

extension ResponseWriter {
    @concurrent
    fileprivate consuming func write(_ response: Response) async throws {
        try await write(response: response.head, body: response.body)
    }
}
