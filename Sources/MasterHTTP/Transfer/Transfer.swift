import CLibCurl

/// One transfer under way; made, used and finished on the loop's thread.
final class Transfer {
    /// The most bytes of headers taken from a server.
    static let longestHead = 256 << 10

    let job: TransferJob
    let completion: CheckedContinuation<TransferOutcome, Never>
    let easy: EasyHandle
    let source: BodySource?
    let clock: LoopClock
    let startedAt: ContinuousClock.Instant
    var progress = TransferProgress()

    private var requestHead: [UInt8] = []
    private var head: [UInt8] = []
    private(set) var headIsComplete = false
    private var body: [UInt8] = []
    private var streams = false
    private var announcedLength = 0

    /// Opens what is to be sent and prepares the handle.
    init(
        _ job: TransferJob,
        completion: CheckedContinuation<TransferOutcome, Never>,
        easy: EasyHandle,
        clock: LoopClock
    ) throws(HTTPError) {
        self.job = job
        self.completion = completion
        self.easy = easy
        self.clock = clock
        startedAt = clock.now
        source = try BodySource(job.spec.hop.body)
        try easy.begin(self)
    }

    /// Whether a status line was received.
    var hasAnswer: Bool { !head.isEmpty }

    /// Whether there is an answer, after libcurl has ended the transfer with a code.
    func hasEndedWell(_ result: CURLcode) -> Bool {
        headIsComplete && progress.fault == nil && (result == CURLE_OK || progress.isCut)
    }

    /// The complete answer, or what was kept of a long one.
    var answer: TransferOutcome.Answer {
        TransferOutcome.Answer(
            requestHead: requestHead,
            head: head,
            body: body,
            duration: clock.now - startedAt
        )
    }

    /// What went over the wire before a fault; `nil` when it is not known to be anything.
    var beginning: TransferOutcome.Answer? { progress.hasSent ? answer : nil }

    /// Says whether the request may be sent now that a connection stands.
    ///
    /// When a kept connection ends before a byte of the answer came, libcurl would send the request
    /// again over another one, though it may have arrived.
    func beginRequest() -> Bool {
        guard !progress.isUnanswered || !mayHaveArrived else {
            progress.fault = .closedBeforeAnswer(job.spec.hop.address)
            return false
        }
        progress.isUnanswered = true
        return true
    }

    /// Takes one line of the answer's head, or of a trailer.
    func receiveHeader(_ line: UnsafeRawBufferPointer) -> Int {
        progress.isUnanswered = false
        noteActivity()
        let startsAnswer = unsafe line.starts(with: "HTTP/".utf8)
        if headIsComplete, !startsAnswer { return line.count }
        if startsAnswer { forgetAnswer() }
        if head.isEmpty { head.reserveCapacity(512) }
        unsafe head.append(contentsOf: line)
        unsafe noteLength(line)
        guard head.count <= Self.longestHead else {
            progress.fault = .headersTooLarge(job.spec.hop.address)
            return 0
        }
        if unsafe line.count <= 2 && line.allSatisfy({ $0 == 0x0D || $0 == 0x0A }) {
            completeHead()
        }
        return progress.fault == nil ? line.count : 0
    }

    /// Takes a piece of the answer's body.
    func receiveBody(_ piece: UnsafeRawBufferPointer) -> Int {
        noteActivity()
        if streams, let stream = job.stream {
            guard unsafe stream.push(piece) else {
                progress.isPaused = true
                return Int(CURL_WRITEFUNC_PAUSE)
            }
            return piece.count
        }
        let room = job.spec.responseLimit - body.count
        guard piece.count > room else {
            unsafe body.append(contentsOf: piece)
            return piece.count
        }
        if job.spec.cutsLongBody {
            unsafe body.append(contentsOf: piece.prefix(room))
            progress.isCut = true
        } else {
            progress.fault = .tooLarge(job.spec.hop.address, limit: job.spec.responseLimit)
        }
        return 0
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
    }

    private func noteActivity() {
        progress.lastActivity = clock.now
    }

    /// Takes note of a `Content-Length` line, without reading the others.
    private func noteLength(_ line: UnsafeRawBufferPointer) {
        let name: StaticString = "content-length:"
        guard line.count > name.utf8CodeUnitCount,
            unsafe HTTPSyntax.lowered(line[8]) == UInt8(ascii: "l"),
            unsafe line.prefix(name.utf8CodeUnitCount).elementsEqual(
                name.description.utf8, by: { HTTPSyntax.lowered($0) == $1 })
        else { return }
        let value = unsafe line.dropFirst(name.utf8CodeUnitCount).filter { $0 > 0x20 }
        announcedLength = Int(HTTPSyntax.text(value)) ?? 0
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
        guard let line = StatusLine(head), line.status >= 200 else { return }
        headIsComplete = true
        let spec = job.spec
        let isRedirect = spec.followsRedirects && Hop.isRedirect(status: line.status)
        let headers = job.stream == nil ? nil : HTTPHeaders(head: head)
        streams = job.stream != nil && !(isRedirect && headers?.contains("Location") == true)
        if !streams, announcesTooMuch(line.status) {
            progress.fault = .tooLarge(spec.hop.address, limit: spec.responseLimit)
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
