import CLibCurl

/// One transfer under way; made, used and finished on the loop's thread.
final class Transfer {
    /// The most bytes and lines of headers and trailers taken from a server, those of interim
    /// answers and challenges included; libcurl keeps them all.
    static let longestHead = 256 << 10
    static let mostHeadLines = 5000
    /// The most interim answers (1xx) to a request.
    static let mostInterimAnswers = 1000
    /// The most stale connections after which a request is begun again.
    private static let mostStaleConnections = 2
    /// The most answers to challenges: one, and one more to a challenge that says `stale=true`.
    private static let mostChallenges = 2

    let job: TransferJob
    let completion: CheckedContinuation<TransferOutcome, Never>
    let easy: EasyHandle
    let source: BodySource?
    let clock: LoopClock
    let startedAt: ContinuousClock.Instant
    /// How many connections were found to be stale before; the next one is new.
    let staleConnections: Int
    var progress = TransferProgress()

    private var requestHead: [UInt8] = []
    private(set) var head: [UInt8] = []
    private(set) var headIsComplete = false
    private var body: [UInt8] = []
    private var streams = false
    private var announcedLength = 0
    private var headByteCount = 0
    private var headLineCount = 0
    private var interimAnswerCount = 0
    private var challengeCount = 0
    private var encoding = ""
    private var decoder: ContentDecoder?

    /// Opens what is to be sent and prepares the handle.
    init(
        _ job: TransferJob, completion: CheckedContinuation<TransferOutcome, Never>,
        easy: EasyHandle, clock: LoopClock, staleConnections: Int
    ) throws(HTTPError) {
        self.job = job
        self.staleConnections = staleConnections
        self.completion = completion
        self.easy = easy
        self.clock = clock
        startedAt = clock.now
        source = try BodySource(job.spec.hop.body)
        try easy.begin(self)
    }

    /// Whether a status line was received.
    var hasAnswer: Bool { !head.isEmpty }

    /// Whether the connection must not be one that was used before.
    var needsNewConnection: Bool { staleConnections > 0 }

    /// Whether the transfer ended before anything was sent that was not answered.
    var canBeginAgain: Bool {
        progress.isStale && staleConnections < Self.mostStaleConnections
    }

    /// What is wrong, after libcurl has ended the transfer with a code; nil when there is an answer.
    func fault(after result: CURLcode) -> HTTPError? {
        guard progress.fault == nil, headIsComplete,
            result == CURLE_OK || progress.isCut || progress.isRefused
        else { return error(result) }
        guard let decoder, !decoder.isFinished, !progress.isCut, !progress.isRefused else {
            return nil
        }
        return .cutBody(place)
    }

    /// The server, for messages.
    var place: String { job.spec.hop.place.authority }

    /// The complete answer, or what was kept of a long one.
    var answer: TransferOutcome.Answer {
        TransferOutcome.Answer(
            requestHead: requestHead, head: head, body: body, duration: clock.now - startedAt)
    }

    /// What went over the wire before a fault; `nil` when it is not known to be anything.
    var beginning: TransferOutcome.Answer? { progress.hasSent ? answer : nil }

    /// Says whether the request may be sent now that a connection stands.
    ///
    /// When a kept connection ends before a byte of the answer came, libcurl would send the request
    /// again over another one, though it may have arrived. It also sends it again to answer a
    /// challenge, as often as the server likes.
    func beginRequest(on ends: ConnectionEnds) -> Bool {
        guard !progress.isUnanswered || !mayHaveArrived else {
            progress.fault = .closedBeforeAnswer(job.spec)
            return false
        }
        if headIsComplete {
            challengeCount += 1
            guard challengeCount <= Self.mostChallenges else {
                progress.isRefused = true
                return false
            }
        }
        if easy.sockets.use(ends, mustBeNew: needsNewConnection && !headIsComplete) == .stale {
            progress.isStale = true
            progress.fault = .closedBeforeRequest(place)
            return false
        }
        progress.isUnanswered = true
        return true
    }

    /// Takes one line of the answer's head, or of a trailer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        progress.isUnanswered = false
        noteActivity()
        headByteCount += line.count
        headLineCount += 1
        guard headByteCount <= Self.longestHead, headLineCount <= Self.mostHeadLines else {
            progress.fault = .headersTooLarge(place)
            return 0
        }
        let startsAnswer = unsafe line.starts(with: "HTTP/".utf8)
        if headIsComplete, !startsAnswer { return line.count }
        if startsAnswer { forgetAnswer() }
        if head.isEmpty { head.reserveCapacity(512) }
        unsafe head.append(contentsOf: line)
        unsafe noteField(line)
        if unsafe line.count <= 2 && line.allSatisfy({ $0 == 0x0D || $0 == 0x0A }) {
            completeHead()
        }
        return progress.fault == nil ? line.count : 0
    }

    /// Takes a piece of the answer's body.
    func receiveBody(_ piece: UnsafeRawBufferPointer) -> Int {
        noteActivity()
        let taken: ContentDecoder.Taken
        do throws(ContentDecoder.Fault) {
            if decoder == nil, !encoding.isEmpty { decoder = try ContentDecoder(encoding) }
            taken = unsafe try decoder?.decode(piece) { unsafe take($0) } ?? take(piece)
        } catch {
            progress.fault = .undecodable(place, error, encoding)
            return 0
        }
        switch taken {
        case .all: return piece.count
        case .stop: return 0
        case .later:
            progress.isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
    }

    /// Takes a decoded piece.
    private func take(_ piece: UnsafeRawBufferPointer) -> ContentDecoder.Taken {
        if streams, let stream = job.stream { return unsafe stream.push(piece) ? .all : .later }
        let room = job.spec.responseLimit - body.count
        guard piece.count > room else {
            unsafe body.append(contentsOf: piece)
            return .all
        }
        if job.spec.cutsLongBody {
            unsafe body.append(contentsOf: piece.prefix(room))
            progress.isCut = true
        } else {
            progress.fault = .tooLarge(place, limit: job.spec.responseLimit)
        }
        return .stop
    }

    /// Gives the next bytes of the request's body.
    func sendBody(_ room: UnsafeMutableRawBufferPointer) -> Int {
        noteActivity()
        guard let source else { return 0 }
        do {
            return try unsafe source.read(into: room)
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

    /// Drops an answer that another one takes the place of.
    private func forgetAnswer() {
        head.removeAll(keepingCapacity: true)
        body.removeAll()
        headIsComplete = false
        announcedLength = 0
        encoding = ""
        decoder = nil
    }

    private func noteActivity() {
        progress.lastActivity = clock.now
    }

    /// Takes note of the few fields that matter here, without reading the others.
    private func noteField(_ line: UnsafeRawBufferPointer) {
        if let value = unsafe value(of: "content-length", in: line) {
            announcedLength = Int(value) ?? 0
        } else if let value = unsafe value(of: "content-encoding", in: line)
            ?? value(of: "transfer-encoding", in: line), value.lowercased() != "chunked"
        {
            encoding += encoding.isEmpty ? value : ",\(value)"
        }
    }

    /// The value of a line when it has a name, given in small letters.
    private func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> String? {
        let count = name.utf8CodeUnitCount
        guard unsafe line.count > count && line[count] == UInt8(ascii: ":"),
            unsafe line.prefix(count).elementsEqual(
                UnsafeBufferPointer(start: name.utf8Start, count: count),
                by: { HTTPSyntax.lowered($0) == $1 })
        else { return nil }
        return unsafe HTTPSyntax.text(line.dropFirst(count + 1).filter { $0 > 0x20 })
    }

    /// Whether the head already tells that the body will be too large.
    private func announcesTooMuch(_ status: Int) -> Bool {
        guard announcedLength > job.spec.responseLimit, !job.spec.cutsLongBody,
            job.spec.hop.method != .head, status != 304
        else { return false }
        let headers = HTTPHeaders(head: head)
        return !headers.contains("Content-Encoding") && !headers.contains("Transfer-Encoding")
    }

    /// Keeps the head of the request that is sent last: a tunnel or a challenge comes before it.
    private func noteRequest(_ bytes: UnsafeRawBufferPointer) {
        if requestHead.hasCompleteHead {
            requestHead.removeAll(keepingCapacity: true)
            forgetAnswer()
        }
        unsafe requestHead.append(contentsOf: bytes)
        if !requestHead.starts(with: "CONNECT ".utf8) { progress.hasSent = true }
    }

    private func completeHead() {
        guard let line = StatusLine(head) else { return }
        guard line.status >= 200 else {
            interimAnswerCount += 1
            if interimAnswerCount > Self.mostInterimAnswers {
                progress.fault = .tooManyInterimAnswers(place, limit: Self.mostInterimAnswers)
            }
            return
        }
        headIsComplete = true
        let spec = job.spec
        let isRedirect = spec.followsRedirects && OutgoingRequest.isRedirect(status: line.status)
        let headers = job.stream == nil ? nil : HTTPHeaders(head: head)
        streams = job.stream != nil && !(isRedirect && headers?.contains("Location") == true)
        if !streams, announcesTooMuch(line.status) {
            progress.fault = .tooLarge(place, limit: spec.responseLimit)
        }
    }
}

/// How far a transfer has come, as its timeouts and its error need it.
struct TransferProgress {
    /// Whether a byte of the request itself was seen to be sent.
    var hasSent = false
    /// Whether the request was handed to a connection, and nothing has come back.
    var isUnanswered = false
    /// Whether the receiver of the body must take what waits first.
    var isPaused = false
    /// When a byte was last seen to pass, once the connection stands.
    var lastActivity: ContinuousClock.Instant?
    /// Whether the body was cut where it grew too long, which ends the transfer well.
    var isCut = false
    /// Whether the server still asks for credentials that it was given, which is its answer.
    var isRefused = false
    /// Whether nothing was sent because the connection was of no use any more.
    var isStale = false
    /// Why a callback stopped the transfer.
    var fault: HTTPError?
}

extension [UInt8] {
    /// Whether the bytes end with the empty line that ends a head.
    fileprivate var hasCompleteHead: Bool {
        count >= 4 && self[count - 1] == 0x0A && self[count - 2] == 0x0D
            && self[count - 3] == 0x0A && self[count - 4] == 0x0D
    }
}
