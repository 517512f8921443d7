import CLibCurl
import Synchronization

/// A request being processed by libcurl.
///
/// `@unchecked Sendable`: a task creates it and passes it to the curl thread. From then on, tasks
/// use only immutable or atomic members; everything else belongs to the curl thread.
final class Transfer: @unchecked Sendable {
    typealias Outcome = Result<HTTPExchange, HTTPError>

    /// The maximum number of restarts of a request because of stale connections.
    private static let mostStaleConnections = 2
    /// The maximum number of responses to challenges: one, and another if a challenge has
    /// `stale=true`.
    private static let mostChallenges = 2

    let request: OutgoingRequest
    /// Receives the body of the final response; `nil` if it is collected.
    let stream: BodyStream?
    private let cancelled = Atomic(false)

    /// The continuation of the task that waits for the outcome.
    var completion: CheckedContinuation<Outcome, Never>?
    /// The body if libcurl reads it in pieces.
    var source: BodySource?
    private(set) var easy: EasyHandle?
    private(set) var response = IncomingResponse()
    private(set) var progress = Progress()
    /// When the last byte was sent or received, once connected.
    private var lastByte: ContinuousClock.Instant?
    /// The number of stale connections found so far; after one, the next connection is new.
    private var staleConnections = 0
    private var clock: RoundClock?
    private var startedAt: ContinuousClock.Instant?
    private var begunAt: ContinuousClock.Instant?

    /// The progress of a transfer, for timeouts and errors.
    struct Progress {
        /// Whether a byte of the request itself was sent.
        var hasSent = false
        /// The request line and headers as sent.
        var requestHead: [UInt8] = []
        /// Whether the request was given to a connection and nothing was received yet.
        var awaitsResponse = false
        /// Whether the transfer waits for the receiver of the body.
        var isPaused = false
        var challengeCount = 0
        /// Whether the server rejected the credentials with another challenge, which is then its
        /// response.
        var isRefused = false
        /// Whether nothing was sent because the connection was no longer usable.
        var isStale = false
        /// The error for which a callback aborted the transfer.
        var fault: HTTPError?
    }

    init(_ request: consuming OutgoingRequest, stream: BodyStream?) {
        self.request = request
        self.stream = stream
    }

    /// The server, for messages.
    var place: String { request.place.authority }

    /// Whether the waiting task was cancelled, possibly before the curl thread received the
    /// transfer.
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Marks the transfer as cancelled; the curl thread must also be notified. May be called on any
    /// thread.
    func markCancelled() {
        cancelled.store(true, ordering: .releasing)
    }

    // MARK: Lifecycle

    /// Starts the clock when the transfer gets a slot; the file of the body may have to be opened
    /// before `begin`.
    func start(_ clock: RoundClock) {
        self.clock = clock
        startedAt = clock.now
    }

    /// Passes the transfer to libcurl.
    func begin(_ easy: EasyHandle) throws(HTTPError) {
        self.easy = easy
        begunAt = now
        if case .bytes(let bytes) = request.body, bytes.count > EasyHandle.longestLoan {
            source = source ?? BodySource(bytes)
        }
        try easy.begin(self, mustBeNew: staleConnections > 0)
    }

    /// Whether the transfer can be restarted because nothing was sent on a stale connection.
    var canBeginAgain: Bool {
        progress.isStale && staleConnections < Self.mostStaleConnections
    }

    /// Resets the transfer after an attempt with a stale connection.
    func reset() {
        letGo()
        staleConnections += 1
        response = IncomingResponse()
        progress = Progress()
        lastByte = nil
        _ = source?.rewind(to: 0)
    }

    /// Releases the handle.
    func letGo() {
        easy?.finish()
        easy = nil
    }

    /// The outcome of the transfer after libcurl has ended it with a code.
    func outcome(_ result: CURLcode) -> Outcome {
        let hasResponse =
            progress.fault == nil
            && (result == CURLE_OK || response.isCut || progress.isRefused)
        guard hasResponse, let line = response.statusLine else { return failure(error(result)) }
        guard !response.endsEarly || progress.isRefused else { return failure(.cutBody(place)) }
        return .success(exchange(line))
    }

    /// An error with the exchange so far, if any of the request was sent.
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

/// The callbacks from libcurl, on the curl thread.
extension Transfer {
    /// Whether the request may be sent on a connection that is now available.
    ///
    /// If a kept connection is closed before any of the response is received, libcurl would resend
    /// the request over another one, though it may have arrived. It also resends it for every
    /// challenge, without a limit.
    func beginRequest(on ends: ConnectionEnds, of connections: ConnectionTable) -> Bool {
        guard !progress.awaitsResponse || !mayHaveArrived else {
            progress.fault = .closedBeforeResponse(request)
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
        progress.awaitsResponse = true
        return true
    }

    /// Receives one line of the response head or a trailer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        if progress.awaitsResponse { progress.awaitsResponse = false }
        noteActivity()
        do {
            try unsafe response.receiveHeader(line, of: self)
            return line.count
        } catch {
            progress.fault = error
            return 0
        }
    }

    /// Receives a piece of the response body.
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

    /// Provides the next bytes of the request body.
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

    /// Moves back in the request body to send it again.
    func rewindBody(to offset: Int) -> Bool {
        source?.rewind(to: offset) ?? (offset == 0)
    }

    /// Observes all bytes sent and received.
    func observe(_ kind: curl_infotype, _ bytes: UnsafeRawBufferPointer) {
        guard kind != CURLINFO_TEXT else { return }
        if kind == CURLINFO_HEADER_OUT { unsafe noteRequest(bytes) }
        if progress.hasSent { noteActivity() }
    }

    /// Keeps the head of the last request sent; a tunnel request or a challenged request precedes
    /// it.
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

/// Timeouts.
extension Transfer {
    /// When to check a transfer that begins now; it cannot time out earlier.
    var firstDeadline: ContinuousClock.Instant {
        let next = now + min(request.timeout.connect, request.timeout.silence)
        return request.deadline.map { min(next, $0) } ?? next
    }

    /// When to check the transfer again; it cannot time out earlier.
    var nextDeadline: ContinuousClock.Instant {
        var next = silenceDeadline ?? now + request.timeout.silence
        if let deadline = connectDeadline { next = min(next, deadline) }
        if let deadline = request.deadline { next = min(next, deadline) }
        return next
    }

    /// The error if a time limit has been exceeded.
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

    /// Resumes after a pause, when the receiver of the body has room or a piece of the file was
    /// read.
    func resume() {
        progress.isPaused = false
        noteActivity()
        easy?.resume()
    }

    private var now: ContinuousClock.Instant { clock?.now ?? .now }

    /// The deadline for the connection; `nil` once it is established.
    private var connectDeadline: ContinuousClock.Instant? {
        guard let easy, let begunAt, easy.timeUntilSending == .zero else { return nil }
        return begunAt + request.timeout.connect
    }

    /// The deadline for silence; `nil` while waiting for the receiver of the body.
    private var silenceDeadline: ContinuousClock.Instant? {
        guard !progress.isPaused, let last = lastActivity else { return nil }
        return last + request.timeout.silence
    }

    /// When the last byte was sent or received, or else when the connection was established; while
    /// the file of the body is being opened, when the transfer started.
    private var lastActivity: ContinuousClock.Instant? {
        guard let easy else { return startedAt }
        if let lastByte { return lastByte }
        guard !request.isObserved, let begunAt, easy.hasBegunToSend else { return nil }
        return begunAt + easy.timeUntilSending
    }
}

extension [UInt8] {
    /// Whether the bytes end with the empty line that terminates a head.
    fileprivate var hasCompleteHead: Bool {
        count >= 4 && self[count - 1] == 0x0A && self[count - 2] == 0x0D
            && self[count - 3] == 0x0A && self[count - 4] == 0x0D
    }
}

extension Duration {
    /// Whole milliseconds, rounded up; 0 if not positive, at most a day.
    var millisecondsUp: Int {
        self <= .zero ? 0 : curlMilliseconds
    }

    /// Whole milliseconds for libcurl, at least 1 and at most a day.
    var curlMilliseconds: Int {
        if self <= .zero { return 1 }
        guard self < .seconds(86_400) else { return 86_400_000 }
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000) + 1
    }
}

/// A body that libcurl reads in pieces. Used on the curl thread.
final class BodySource {
    /// The number of bytes to send.
    let length: Int
    private let store: Store
    private var offset = 0

    private enum Store {
        case memory([UInt8])
        case file(FileReader)
    }

    init(_ bytes: [UInt8]) {
        store = .memory(bytes)
        length = bytes.count
    }

    init(_ reader: FileReader) {
        store = .file(reader)
        length = reader.length
    }

    /// Reads the next bytes; returns 0 at the end, `nil` if the file has not been read that far.
    func read(into room: UnsafeMutableRawBufferPointer) throws(HTTPError) -> Int? {
        guard offset < length else { return 0 }
        let count: Int?
        switch store {
        case .memory(let bytes):
            let end = min(length, offset + room.count)
            unsafe room.copyBytes(from: bytes[offset..<end])
            count = end - offset
        case .file(let reader):
            count = try unsafe reader.read(into: room, at: offset)
        }
        offset += count ?? 0
        return count
    }

    /// Moves back to send bytes again; returns `false` if the offset is outside the body.
    func rewind(to offset: Int) -> Bool {
        guard (0...length).contains(offset) else { return false }
        self.offset = offset
        return true
    }

    /// Whether the file must be read before more can be sent.
    var isWaiting: Bool {
        if case .file(let reader) = store { reader.isWaiting } else { false }
    }

    /// Receives a piece of the file.
    func accept(_ piece: FileReader.Piece) {
        if case .file(let reader) = store { reader.accept(piece) }
    }
}
