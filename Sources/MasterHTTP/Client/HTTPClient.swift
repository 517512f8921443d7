import Synchronization

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

    /// Makes a client; its thread and libcurl start with the first request, which throws what goes
    /// wrong then.
    public init(_ configuration: HTTPClientConfiguration = .init()) {
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
    public func makeSession(_ configuration: HTTPSessionConfiguration = .init()) -> HTTPSession {
        HTTPSession(configuration, thread: thread)
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

/// A request and its redirects.
private struct RequestChain {
    /// The next request to send.
    private(set) var request: OutgoingRequest
    private var history: [HTTPExchange] = []

    init(_ request: consuming OutgoingRequest) {
        self.request = request
    }

    /// Processes the outcome of `request`; returns the response if it is final, or else sets
    /// `request` to the next one.
    mutating func take(_ outcome: Transfer.Outcome) throws(HTTPError) -> HTTPResponse? {
        do throws(HTTPError) {
            let exchange = try outcome.get()
            guard case .follow(let limit) = request.redirects,
                let next = try next(after: exchange)
            else { return HTTPResponse(history: history, final: exchange) }
            guard history.count <= limit else {
                throw HTTPError.tooManyRedirects(limit: limit, at: request.place.authority)
            }
            request = next
            return nil
        } catch {
            guard !history.isEmpty else { throw error }
            var error = error
            error.exchanges = history
            error.mayHaveArrived = true
            throw error
        }
    }

    private mutating func next(after exchange: HTTPExchange) throws(HTTPError) -> OutgoingRequest? {
        do {
            let next = try request.redirected(by: exchange)
            if next != nil { history.append(exchange) }
            return next
        } catch {
            history.append(exchange)
            throw error
        }
    }

    /// Adds the exchanges so far to an error thrown by the receiver of the body.
    func fault(_ error: HTTPError, thrownAt outcome: Transfer.Outcome) -> HTTPError {
        var error = error
        error.exchanges = history
        switch outcome {
        case .success(let exchange): error.unfinished = exchange
        case .failure(let fault): error.unfinished = fault.unfinished
        }
        return error
    }
}

/// Runs a closure with a client that is always shut down afterwards.
public func withHTTPClient<Value>(
    _ configuration: HTTPClientConfiguration = .init(),
    _ body: (HTTPClient) async throws -> Value
) async throws -> Value {
    let client = HTTPClient(configuration)
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

/// The thread that runs libcurl, as tasks see it: takes messages, wakes it, and knows when it ended.
///
/// It starts with the first request, and libcurl is not loaded before: many runs send nothing.
final class CurlThread: Sendable {
    /// A message to the thread.
    enum Message: Sendable {
        case start(Transfer)
        case cancel(Transfer)
        case resume(Transfer)
        case opened(Transfer, Result<OpenFile, HTTPError>)
        case read(Transfer, FileReader.Piece)
        case list(CookieJar, @Sendable ([HTTPCookie]) -> Void)
    }

    private struct State {
        /// What the thread works with; `nil` until it is started.
        var multi: CurlMulti?
        var inbox: [Message] = []
        var isAsleep = false
        var isClosed = false
        var hasEnded = false
        var enders: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let limits: TransferLimits

    init(limits: TransferLimits) {
        self.limits = limits
    }

    /// Starts the thread, unless that was done or it is closed.
    private func start() throws(HTTPError) {
        // Held during the start, so that there is only one thread.
        try state.withLock { state throws(HTTPError) in
            guard state.multi == nil, !state.isClosed else { return }
            let multi = try CurlMulti(idleConnections: limits.inFlight)
            try SystemThread.start { [self] in
                let reserve = HeapReserve()
                TransferScheduler(thread: self, multi: multi, limits: limits).run()
                end()
                _ = consume reserve
            }
            state.multi = multi
        }
    }

    /// Runs a transfer; cancelling the task aborts it immediately.
    func run(_ transfer: Transfer) async -> Transfer.Outcome {
        do {
            try start()
        } catch {
            transfer.stream?.finish()
            return .failure(error)
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.completion = continuation
                guard !post(.start(transfer)) else { return }
                transfer.stream?.finish()
                continuation.resume(returning: .failure(.shutDown))
            }
        } onCancel: {
            cancel(transfer)
        }
    }

    /// Cancels a transfer, even if it has not started yet.
    func cancel(_ transfer: Transfer) {
        transfer.markCancelled()
        post(.cancel(transfer))
    }

    /// The next piece of a response body, or `nil` at the end.
    func nextPiece(of transfer: Transfer) async -> [UInt8]? {
        guard let stream = transfer.stream else { return nil }
        await stream.waitForBytes()
        let (bytes, mustResume) = stream.take()
        if mustResume { post(.resume(transfer)) }
        return bytes.isEmpty ? nil : bytes
    }

    /// Lists the cookies of a jar; none when the thread does not run.
    func listCookies(of jar: CookieJar, _ handler: @escaping @Sendable ([HTTPCookie]) -> Void) {
        if !post(.list(jar, handler)) { handler([]) }
    }

    /// Puts a message in; false when the thread has not started or is closed.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (isTaken, asleep): (Bool, CurlMulti?) = state.withLock { state in
            guard let multi = state.multi, !state.isClosed else { return (false, nil) }
            state.inbox.append(message)
            defer { state.isAsleep = false }
            return (true, state.isAsleep ? multi : nil)
        }
        asleep?.wakeUp()
        return isTaken
    }

    /// Stops accepting messages and makes the thread fail all transfers and end.
    func close() {
        let asleep = state.withLock { state in
            state.isClosed = true
            return state.isAsleep ? state.multi : nil
        }
        asleep?.wakeUp()
    }

    /// Waits until the thread has ended, if it was started.
    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                let hasEnded = state.hasEnded || state.multi == nil
                if !hasEnded { state.enders.append(continuation) }
                return hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Takes the pending messages and whether the thread was closed. Called by the thread.
    func take() -> (messages: [Message], isClosed: Bool) {
        state.withLock { state in
            state.isAsleep = false
            let messages = state.inbox
            state.inbox.removeAll(keepingCapacity: false)
            return (messages, state.isClosed)
        }
    }

    /// Whether the inbox is empty, so that the thread may sleep until it is woken.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.inbox.isEmpty && !state.isClosed
            return state.isAsleep
        }
    }

    private func end() {
        let enders = state.withLock { state in
            state.hasEnded = true
            let enders = state.enders
            state.enders = []
            return enders
        }
        for ender in enders { ender.resume() }
    }
}
