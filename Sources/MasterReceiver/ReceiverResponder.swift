internal import FoundationEssentials
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// Takes in one request after the other, hands it on and answers it.
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

    /// Answers a request once it has arrived, was handed on and the delay is over.
    @concurrent
    func respond(to request: Request, with writer: consuming ResponseWriter) async throws {
        let receivedAt = Date()
        let arrival = try await takeIn(request, telling: writer)
        await counter.handOn(to: onRequest) { number in
            Self.record(number, request, receivedAt: receivedAt, arrival)
        }
        if let failure = arrival.failure { throw failure }
        guard arrival.extent == .whole else {
            return try await writer.write(answer(413, "the body is larger than accepted"))
        }
        if configuration.delay > .zero { try await Task.sleep(for: configuration.delay) }
        let status = configuration.status
        let text = (200...299).contains(status) ? "received" : "answered with \(status) as told"
        try await writer.write(answer(status, text, to: request.method))
    }

    /// What came of a body.
    private struct Arrival {
        var body: [UInt8] = []
        var extent = ReceivedRequest.Extent.whole
        var failure: (any Error)?
    }

    @concurrent
    private func takeIn(
        _ request: Request, telling writer: borrowing ResponseWriter
    ) async throws -> Arrival {
        var arrival = Arrival()
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= configuration.bodyLimit else {
            arrival.extent = .tooLarge
            return arrival
        }
        if request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        arrival.body.reserveCapacity(announced)
        do {
            for try await piece in request.body {
                guard arrival.body.count + piece.readableBytes <= configuration.bodyLimit else {
                    return Arrival(extent: .tooLarge)
                }
                arrival.body.append(contentsOf: piece.readableBytesView)
            }
        } catch {
            arrival.extent = .cutShort
            arrival.failure = error
        }
        return arrival
    }

    private static func record(
        _ number: Int, _ request: Request, receivedAt: Date, _ arrival: Arrival
    ) -> ReceivedRequest {
        let host = request.head.authority.map { [ReceivedRequest.Header("Host", $0)] } ?? []
        return ReceivedRequest(
            number: number, receivedAt: receivedAt, method: request.method.rawValue,
            target: request.head.path ?? "",
            headers: host + request.headers.map { .init($0.name.rawName, $0.value) },
            body: arrival.body, extent: arrival.extent)
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

/// Numbers requests, and begins to hand them on in the order of their numbers.
private actor RequestCounter {
    private var count = 0

    func handOn(
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
