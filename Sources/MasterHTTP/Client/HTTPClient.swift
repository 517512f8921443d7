/// Sends HTTP requests: one libcurl multi handle on one thread of its own.
///
/// HTTP/1.1 is spoken; connections are kept and used again. Any number of tasks may send at once:
/// what exceeds the configuration's limits waits, first come, first served for each host. A client
/// that is released shuts itself down.
public final class HTTPClient: Sendable {
    /// The client's settings.
    public let configuration: HTTPClientConfiguration
    let thread: CurlThread
    let environmentProxies: EnvironmentProxies
    let addresses = AddressCache()

    /// Makes a client; its thread and libcurl start with the first request.
    ///
    /// - Throws: Nothing at present: what the system lacks is the error of the first request.
    public init(_ configuration: HTTPClientConfiguration = .init()) throws(HTTPError) {
        self.configuration = configuration
        environmentProxies = EnvironmentProxies(configuration.environment)
        thread = CurlThread(
            limits: TransferLimits(
                inFlight: configuration.maximumInFlight, perHost: configuration.maximumPerHost))
    }

    deinit {
        thread.close()
    }

    /// Makes a session with a cookie jar of its own.
    ///
    /// - Throws: Nothing at present, see ``init(_:)``.
    public func makeSession(
        _ configuration: HTTPSessionConfiguration = .init()
    ) throws(HTTPError) -> HTTPSession {
        HTTPSession(configuration, thread: thread)
    }

    /// Sends a request, follows its redirects, and returns the answer with its whole body.
    ///
    /// A status of the 400s or 500s is an answer. Cancelling the task ends the transfer at once.
    /// Without a session no cookie is kept, not even from one redirect to the next. Errors and
    /// exchanges show the address as `hiding` makes it, which gets it as it was given.
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

    /// Sends a request and hands the final answer's body to a closure, piece by piece.
    ///
    /// The next piece is not read before the closure has returned, so memory is bounded whatever
    /// the size of the body; `responseLimit` counts only the bodies of redirects. The body of the
    /// returned response is empty.
    ///
    /// - Throws: `HTTPError`, or what the closure throws, which ends the transfer.
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
            // A short body is complete before anybody has looked at it.
            if let refusal {
                throw (refusal as? HTTPError).map { chain.fault($0, thrownAt: outcome) } ?? refusal
            }
            if let response = try chain.take(outcome) { return response }
        }
    }

    /// Runs one transfer and receives its body at the same time.
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

    /// Ends the client: what is under way or waits fails with the code `shutDown`.
    ///
    /// Returns when the thread has ended. A second call waits for the same end.
    public func shutdown() async {
        thread.close()
        await thread.ended()
    }
}

/// Runs a closure with a client that is shut down afterwards, whatever happens.
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
    /// The `User-Agent` sent unless a session or request has its own.
    public var userAgent: String
    /// The most transfers under way at once; more wait in the client's own queue.
    public var maximumInFlight: Int
    /// The most transfers under way to one scheme, host and port.
    public var maximumPerHost: Int
    /// Where `HTTPProxies.environment` looks; nil is the process's environment.
    public var environment: [String: String]?

    /// Makes a configuration; all parts have defaults.
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
