/// Sends HTTP requests, using one libcurl multi handle on a dedicated thread.
///
/// The protocol is HTTP/1.1; connections are kept open and reused. Any number of tasks may send at
/// once: requests over the configured limits wait, in first-come, first-served order for each host.
/// A client that is released shuts itself down.
public final class HTTPClient: Sendable {
    /// The client's settings.
    public let configuration: HTTPClientConfiguration
    let thread: CurlThread
    let environmentProxies: EnvironmentProxies
    let addresses = AddressCache()

    /// Starts the client's thread.
    ///
    /// - Throws: `HTTPError` with the code `transferFailed` if there is not enough memory or no
    ///   thread can be created.
    public init(_ configuration: HTTPClientConfiguration = .init()) throws(HTTPError) {
        self.configuration = configuration
        environmentProxies = EnvironmentProxies(configuration.environment)
        thread = try CurlThread(
            limits: TransferLimits(
                inFlight: configuration.maximumInFlight, perHost: configuration.maximumPerHost))
    }

    deinit {
        thread.close()
    }

    /// Creates a session with its own cookie jar.
    ///
    /// - Throws: `HTTPError` with the code `transferFailed` if there is not enough memory.
    public func makeSession(
        _ configuration: HTTPSessionConfiguration = .init()
    ) throws(HTTPError) -> HTTPSession {
        try HTTPSession(configuration, thread: thread)
    }

    /// Sends a request, follows redirects, and returns the response with its complete body.
    ///
    /// A 4xx or 5xx status is not an error. Cancelling the task aborts the transfer immediately.
    /// Without a session, cookies are not kept, not even across redirects. Errors and exchanges
    /// show the address after `hiding`, which is given the address as written.
    public func send(
        _ request: HTTPRequest, in session: HTTPSession? = nil,
        hiding: HTTPHiding? = nil
    ) async throws(HTTPError) -> HTTPResponse {
        var chain = RequestChain(
            try OutgoingRequest(request, session: session, client: self, hiding: hiding))
        while true {
            let outcome = await thread.run(Transfer(chain.request, stream: nil))
            if let response = try chain.take(outcome) { return response }
        }
    }

    /// Sends a request and passes the body of the final response to a closure, piece by piece.
    ///
    /// The next piece is not read until the closure has returned, so memory use is bounded whatever
    /// the size of the body; `responseLimit` applies only to the bodies of redirects. The body of
    /// the returned response is empty.
    ///
    /// - Throws: `HTTPError`, or any error from the closure, which aborts the transfer.
    public func send(
        _ request: HTTPRequest, in session: HTTPSession? = nil, hiding: HTTPHiding? = nil,
        receiving receive: ([UInt8]) async throws -> Void
    ) async throws -> HTTPResponse {
        var chain = RequestChain(
            try OutgoingRequest(request, session: session, client: self, hiding: hiding))
        while true {
            var refusal: (any Error)?
            let outcome = await run(
                Transfer(chain.request, stream: BodyStream()), receive, &refusal)
            // A short body may be complete before the receiver has seen it.
            if let refusal {
                throw (refusal as? HTTPError).map { chain.fault($0, thrownAt: outcome) } ?? refusal
            }
            if let response = try chain.take(outcome) { return response }
        }
    }

    /// Runs one transfer while receiving its body.
    private func run(
        _ transfer: Transfer, _ receive: ([UInt8]) async throws -> Void,
        _ refusal: inout (any Error)?
    ) async -> Transfer.Outcome {
        async let outcome = thread.run(transfer)
        do {
            while let piece = await thread.nextPiece(of: transfer) { try await receive(piece) }
        } catch {
            refusal = error
            thread.cancel(transfer)
        }
        return await outcome
    }

    /// Shuts down the client; active and waiting requests fail with the code `shutDown`.
    ///
    /// Returns when the thread has ended. Further calls also wait for that.
    public func shutdown() async {
        thread.close()
        await thread.ended()
    }
}

/// Runs a closure with a client that is always shut down afterwards.
public func withHTTPClient<Value>(
    _ configuration: HTTPClientConfiguration = .init(),
    _ body: (HTTPClient) async throws -> Value
) async throws -> Value {
    let client = try HTTPClient(configuration)
    do {
        let value = try await body(client)
        await client.shutdown()
        return value
    } catch {
        await client.shutdown()
        throw error
    }
}

/// The settings of an `HTTPClient`.
public struct HTTPClientConfiguration: Sendable {
    /// The `User-Agent` sent unless a session or request sets its own.
    public var userAgent: String
    /// The maximum number of active transfers; more wait in the client's queue.
    public var maximumInFlight: Int
    /// The maximum number of active transfers for each scheme, host and port.
    public var maximumPerHost: Int
    /// The environment for `HTTPProxies.environment`; `nil` means that of the process.
    public var environment: [String: String]?

    /// Creates a configuration.
    public init(
        userAgent: String = "Buildmaster/0.1", maximumInFlight: Int = 128, maximumPerHost: Int = 32,
        environment: [String: String]? = nil
    ) {
        self.userAgent = userAgent
        self.maximumInFlight = maximumInFlight
        self.maximumPerHost = maximumPerHost
        self.environment = environment
    }
}
