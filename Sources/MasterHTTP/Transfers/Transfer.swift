import CLibCurl
import Synchronization

/// A request on its way through libcurl.
///
/// `@unchecked Sendable`: a task makes it and hands it to the curl thread. From then on tasks use
/// only what is immutable or atomic; everything else belongs to the curl thread.
final class Transfer: @unchecked Sendable {
    typealias Outcome = Result<HTTPExchange, HTTPError>

    /// The most stale connections after which a request is begun again.
    private static let mostStaleConnections = 2
    /// The most answers to challenges: one, and one more to a challenge that says `stale=true`.
    private static let mostChallenges = 2

    let request: OutgoingRequest
    /// Takes the body of the final answer; `nil` when it is collected.
    let stream: BodyStream?
    private let cancelled = Atomic(false)

    /// The task that waits for the outcome.
    var completion: CheckedContinuation<Outcome, Never>?
    /// What a body is read from that is not lent to libcurl.
    var source: BodySource?
    private(set) var easy: EasyHandle?
    private(set) var response = IncomingResponse()
    private(set) var progress = Progress()
    /// When a byte last passed, once the connection is made.
    private var lastByte: ContinuousClock.Instant?
    /// How many connections were found to be stale before; the next one is new.
    private var staleConnections = 0
    private var clock: RoundClock?
    private var startedAt: ContinuousClock.Instant?
    private var begunAt: ContinuousClock.Instant?

    /// How far a transfer has come, as its timeouts and its error need it.
    struct Progress {
        /// Whether a byte of the request itself was seen to be sent.
        var hasSent = false
        /// The request line and headers, as seen to be sent.
        var requestHead: [UInt8] = []
        /// Whether the request was handed to a connection, and nothing has come back.
        var isUnanswered = false
        /// Whether the receiver of the body must take what waits first.
        var isPaused = false
        var challengeCount = 0
        /// Whether the server still asks for credentials that it was given, which is its answer.
        var isRefused = false
        /// Whether nothing was sent because the connection was of no use any more.
        var isStale = false
        /// Why a callback stopped the transfer.
        var fault: HTTPError?
    }

    init(_ request: consuming OutgoingRequest, stream: BodyStream?) {
        self.request = request
        self.stream = stream
    }

    /// The server, for messages.
    var place: String { request.place.authority }

    /// Whether the waiting task was cancelled, perhaps before the curl thread knew the transfer.
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Marks the transfer; the curl thread must be told as well. Any thread may.
    func markCancelled() {
        cancelled.store(true, ordering: .releasing)
    }

    // MARK: Life

    /// Takes a slot; the file of the body may have to be opened before `begin`.
    func start(_ clock: RoundClock) {
        self.clock = clock
        startedAt = clock.now
    }

    /// Tells libcurl what to do.
    func begin(_ easy: EasyHandle) throws(HTTPError) {
        self.easy = easy
        begunAt = now
        if case .bytes(let bytes) = request.body, bytes.count > EasyHandle.longestLoan {
            source = source ?? BodySource(bytes)
        }
        try easy.begin(self, mustBeNew: staleConnections > 0)
    }

    /// Whether the transfer ended before anything was sent that was not answered.
    var canBeginAgain: Bool {
        progress.isStale && staleConnections < Self.mostStaleConnections
    }

    /// Forgets an attempt that found a stale connection.
    func reset() {
        letGo()
        staleConnections += 1
        response = IncomingResponse()
        progress = Progress()
        lastByte = nil
        _ = source?.rewind(to: 0)
    }

    /// Lets go of the handle.
    func letGo() {
        easy?.finish()
        easy = nil
    }

    /// What became of the transfer, after libcurl has ended it with a code.
    func outcome(_ result: CURLcode) -> Outcome {
        let isAnswered =
            progress.fault == nil
            && (result == CURLE_OK || response.isCut || progress.isRefused)
        guard isAnswered, let line = response.statusLine else { return failure(error(result)) }
        guard !response.endsEarly || progress.isRefused else { return failure(.cutBody(place)) }
        return .success(exchange(line))
    }

    /// A fault with what went over the wire before it.
    func failure(_ error: HTTPError) -> Outcome {
        var error = error
        if progress.hasSent {
            error.unfinished = exchange(response.statusLine ?? StatusLine(response.head))
        }
        return .failure(error)
    }

    private func exchange(_ line: StatusLine?) -> HTTPExchange {
        HTTPExchange(
            method: request.method, url: request.place.url, statusLine: line,
            requestHead: progress.requestHead, head: response.head, body: response.body,
            duration: startedAt.map { now - $0 } ?? .zero)
    }
}

/// What libcurl calls, on the curl thread.
extension Transfer {
    /// Whether the request may be sent, now that there is a connection.
    ///
    /// When a kept connection ends before a byte of the answer came, libcurl would send the request
    /// again over another one, though it may have arrived. It also sends it again to answer a
    /// challenge, as often as the server likes.
    func beginRequest(on ends: ConnectionEnds, of connections: ConnectionTable) -> Bool {
        guard !progress.isUnanswered || !mayHaveArrived else {
            progress.fault = .closedBeforeAnswer(request)
            return false
        }
        if response.hasHead {
            progress.challengeCount += 1
            guard progress.challengeCount <= Self.mostChallenges else {
                progress.isRefused = true
                return false
            }
        }
        let mustBeNew = staleConnections > 0 && !response.hasHead
        if connections.use(ends, mustBeNew: mustBeNew) == .stale {
            progress.isStale = true
            progress.fault = .closedBeforeRequest(place)
            return false
        }
        progress.isUnanswered = true
        return true
    }

    /// Takes one line of the answer's head, or of a trailer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        if progress.isUnanswered { progress.isUnanswered = false }
        noteActivity()
        do {
            try unsafe response.receiveHeader(line, of: self)
            return line.count
        } catch {
            progress.fault = error
            return 0
        }
    }

    /// Takes a piece of the answer's body.
    func receiveBody(_ piece: UnsafeRawBufferPointer) -> Int {
        noteActivity()
        do {
            switch try unsafe response.receiveBody(piece, of: self) {
            case .all: return piece.count
            case .stop: return 0
            case .later:
                progress.isPaused = true
                return Int(CURL_WRITEFUNC_PAUSE)
            }
        } catch {
            progress.fault = error
            return 0
        }
    }

    /// Gives the next bytes of the request's body.
    func sendBody(_ room: UnsafeMutableRawBufferPointer) -> Int {
        noteActivity()
        guard let source else { return 0 }
        do {
            return try unsafe source.read(into: room) ?? Int(CURL_READFUNC_PAUSE)
        } catch {
            progress.fault = error
            return Int(CURL_READFUNC_ABORT)
        }
    }

    /// Goes back to a place in the request's body, to send it again.
    func rewindBody(to offset: Int) -> Bool {
        source?.rewind(to: offset) ?? (offset == 0)
    }

    /// Sees every byte that passes, either way.
    func observe(_ kind: curl_infotype, _ bytes: UnsafeRawBufferPointer) {
        guard kind != CURLINFO_TEXT else { return }
        if kind == CURLINFO_HEADER_OUT { unsafe noteRequest(bytes) }
        if progress.hasSent { noteActivity() }
    }

    /// Keeps the head of the request that is sent last: a tunnel or a challenge comes before it.
    private func noteRequest(_ bytes: UnsafeRawBufferPointer) {
        if progress.requestHead.hasCompleteHead {
            progress.requestHead.removeAll(keepingCapacity: true)
            response.forget()
        }
        unsafe progress.requestHead.append(contentsOf: bytes)
        if !progress.requestHead.starts(with: "CONNECT ".utf8) { progress.hasSent = true }
    }

    private func noteActivity() {
        lastByte = now
    }
}

/// Time.
extension Transfer {
    /// When a transfer that begins now must be looked at; it cannot be overdue before.
    var firstDeadline: ContinuousClock.Instant {
        let next = now + min(request.timeout.connect, request.timeout.silence)
        return request.deadline.map { min(next, $0) } ?? next
    }

    /// When the transfer must be looked at again; it cannot be overdue before.
    var nextDeadline: ContinuousClock.Instant {
        var next = silenceDeadline ?? now + request.timeout.silence
        if let deadline = connectDeadline { next = min(next, deadline) }
        if let deadline = request.deadline { next = min(next, deadline) }
        return next
    }

    /// Why the transfer must end now, if it must.
    var overdue: HTTPError? {
        if let deadline = request.deadline, deadline <= now {
            return .totalTimeout(request, mayHaveArrived: mayHaveArrived)
        }
        if let deadline = connectDeadline, deadline <= now {
            return error(CURLE_OPERATION_TIMEDOUT)
        }
        guard let deadline = silenceDeadline, deadline <= now else { return nil }
        guard easy == nil || source?.isWaiting == true else { return .silenceTimeout(request) }
        return .fileTimeout(request, mayHaveArrived: mayHaveArrived)
    }

    /// Whether a byte of the request itself was sent.
    var mayHaveArrived: Bool {
        request.isObserved ? progress.hasSent : easy?.hasBegunToSend == true
    }

    /// Goes on after a pause: the receiver of the body has room, or a piece of the file was read.
    func resume() {
        progress.isPaused = false
        noteActivity()
        easy?.resume()
    }

    private var now: ContinuousClock.Instant { clock?.now ?? .now }

    /// When the connection must be made; `nil` once it is.
    private var connectDeadline: ContinuousClock.Instant? {
        guard let easy, let begunAt, easy.timeUntilSending == .zero else { return nil }
        return begunAt + request.timeout.connect
    }

    /// When silence has lasted too long; never while the receiver of the body holds it up.
    private var silenceDeadline: ContinuousClock.Instant? {
        guard !progress.isPaused, let last = lastActivity else { return nil }
        return last + request.timeout.silence
    }

    /// When a byte last passed, or else when the connection was made; while the file of the body is
    /// opened, when that began.
    private var lastActivity: ContinuousClock.Instant? {
        guard let easy else { return startedAt }
        if let lastByte { return lastByte }
        guard !request.isObserved, let begunAt, easy.hasBegunToSend else { return nil }
        return begunAt + easy.timeUntilSending
    }
}

extension [UInt8] {
    /// Whether the bytes end with the empty line that ends a head.
    fileprivate var hasCompleteHead: Bool {
        count >= 4 && self[count - 1] == 0x0A && self[count - 2] == 0x0D
            && self[count - 3] == 0x0A && self[count - 4] == 0x0D
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, none when it is over; at most a day.
    var millisecondsUp: Int {
        self <= .zero ? 0 : curlMilliseconds
    }

    /// Whole milliseconds, at least one, as libcurl takes them; at most a day.
    var curlMilliseconds: Int {
        if self <= .zero { return 1 }
        guard self < .seconds(86_400) else { return 86_400_000 }
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000) + 1
    }
}
