import CLibCurl
import Synchronization

/// The response being received, within its limits. Used on the curl thread.
struct IncomingResponse {
    /// The maximum size (in bytes) and number of header and trailer lines from a server, including
    /// interim responses and challenges, as libcurl keeps all of them.
    static let longestHead = 256 << 10
    static let mostHeadLines = 5000
    /// The maximum number of interim (1xx) responses to a request.
    static let mostInterimAnswers = 1000

    /// The status line and headers, as received.
    private(set) var head: [UInt8] = []
    /// The status line, or `nil` until the head is complete.
    private(set) var statusLine: StatusLine?
    /// The decoded body; empty if it is streamed.
    private(set) var body: [UInt8] = []
    /// Whether the body was truncated at its limit, which counts as success.
    private(set) var isCut = false

    private var streams = false
    private var announcedLength = 0
    private var headByteCount = 0
    private var headLineCount = 0
    private var interimAnswerCount = 0
    private var encoding = ""
    private var decoder: ContentDecoder?

    /// Whether a status line was received.
    var hasBegun: Bool { !head.isEmpty }

    /// Whether the head of the final response is complete.
    var hasHead: Bool { statusLine != nil }

    /// Whether the compressed data in the body is incomplete.
    var endsEarly: Bool { decoder?.isFinished == false && !isCut }

    /// Discards a response that is replaced by another; its head still counts toward the limits.
    mutating func forget() {
        head.removeAll(keepingCapacity: true)
        body.removeAll()
        statusLine = nil
        announcedLength = 0
        encoding = ""
        decoder = nil
    }

    /// Receives one line of the head or a trailer.
    mutating func receiveHeader(
        _ line: UnsafeRawBufferPointer, of transfer: Transfer
    ) throws(HTTPError) {
        headByteCount += line.count
        headLineCount += 1
        guard headByteCount <= Self.longestHead, headLineCount <= Self.mostHeadLines else {
            throw .headersTooLarge(transfer.place)
        }
        let startsAnswer =
            unsafe line.count >= 5 && line[4] == UInt8(ascii: "/")
            && line.starts(with: "HTTP/".utf8)
        if hasHead, !startsAnswer { return }
        if startsAnswer { forget() }
        if head.isEmpty { head.reserveCapacity(512) }
        unsafe head.append(contentsOf: line)
        unsafe noteField(line)
        if unsafe line.count <= 2 && line.allSatisfy({ $0 == 0x0D || $0 == 0x0A }) {
            try completeHead(of: transfer)
        }
    }

    /// Receives a piece of the body, which is repeated if it was not taken.
    mutating func receiveBody(
        _ piece: UnsafeRawBufferPointer, of transfer: Transfer
    ) throws(HTTPError) -> ContentDecoder.Taken {
        let taken: ContentDecoder.Taken
        var fault: HTTPError?
        do throws(ContentDecoder.Fault) {
            if decoder == nil, !encoding.isEmpty { decoder = try ContentDecoder(encoding) }
            if let decoder {
                taken = unsafe try decoder.decode(piece) { piece in
                    unsafe take(piece, of: transfer, &fault)
                }
            } else {
                taken = unsafe take(piece, of: transfer, &fault)
            }
        } catch {
            throw .undecodable(transfer.place, error, encoding)
        }
        if let fault { throw fault }
        return taken
    }

    /// Stores or streams a decoded piece.
    private mutating func take(
        _ piece: UnsafeRawBufferPointer, of transfer: Transfer, _ fault: inout HTTPError?
    ) -> ContentDecoder.Taken {
        if streams, let stream = transfer.stream {
            return unsafe stream.push(piece) ? .all : .later
        }
        let room = transfer.request.responseLimit - body.count
        guard piece.count > room else {
            unsafe body.append(contentsOf: piece)
            return .all
        }
        if transfer.request.cutsLongBody {
            unsafe body.append(contentsOf: piece.prefix(room))
            isCut = true
        } else {
            fault = .tooLarge(transfer.place, limit: transfer.request.responseLimit)
        }
        return .stop
    }

    private mutating func completeHead(of transfer: Transfer) throws(HTTPError) {
        guard let line = StatusLine(head) else { return }
        guard line.status >= 200 else {
            interimAnswerCount += 1
            guard interimAnswerCount <= Self.mostInterimAnswers else {
                throw .tooManyInterimAnswers(transfer.place, limit: Self.mostInterimAnswers)
            }
            return
        }
        statusLine = line
        streams = transfer.stream != nil && !transfer.request.follows(line.status, head)
        if !streams, announcesTooMuch(for: transfer.request, line.status) {
            throw .tooLarge(transfer.place, limit: transfer.request.responseLimit)
        }
    }

    /// Whether the head announces a body over the limit.
    private func announcesTooMuch(for request: OutgoingRequest, _ status: Int) -> Bool {
        guard announcedLength > request.responseLimit, !request.cutsLongBody,
            request.method != .head, status != 304
        else { return false }
        let headers = HTTPHeaders(head: head)
        return !headers.contains("Content-Encoding") && !headers.contains("Transfer-Encoding")
    }

    /// Records the few relevant fields without parsing the others.
    private mutating func noteField(_ line: UnsafeRawBufferPointer) {
        // All of these begin with 'C' or 'T'.
        guard let first = unsafe line.first, [0x63, 0x74].contains(first | 0x20) else { return }
        if let value = unsafe value(of: "content-length", in: line) {
            announcedLength = Int(value) ?? 0
        } else if let value = unsafe value(of: "content-encoding", in: line)
            ?? value(of: "transfer-encoding", in: line), value.lowercased() != "chunked"
        {
            encoding += encoding.isEmpty ? value : ",\(value)"
        }
    }

    /// The value of a header line if it has the given name, which must be in lower case.
    private func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> String? {
        let count = name.utf8CodeUnitCount
        guard unsafe line.count > count && line[count] == UInt8(ascii: ":"),
            unsafe line.prefix(count).elementsEqual(
                UnsafeBufferPointer(start: name.utf8Start, count: count),
                by: { HTTPSyntax.lowered($0) == $1 })
        else { return nil }
        return unsafe HTTPSyntax.text(line.dropFirst(count + 1).filter { $0 > 0x20 })
    }
}

extension OutgoingRequest {
    /// Whether a response with this status and head is a redirect to follow.
    fileprivate func follows(_ status: Int, _ head: [UInt8]) -> Bool {
        redirects != .none && Self.isRedirect(status: status)
            && HTTPHeaders(head: head).contains("Location")
    }
}

/// A bounded pipe from the curl thread to the task that receives a body.
///
/// Buffers up to `capacity` bytes plus one piece from libcurl (16 KiB). When it is full, the
/// transfer is paused until the receiver has taken the buffered bytes.
final class BodyStream: Sendable {
    static let capacity = 128 << 10

    private struct State {
        var bytes: [UInt8] = []
        var isPaused = false
        var isFinished = false
        var receiver: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Appends a piece; returns `false` if the pipe is full and the transfer must pause.
    func push(_ piece: UnsafeRawBufferPointer) -> Bool {
        let (taken, receiver) = state.withLock {
            state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.bytes.count < Self.capacity else {
                state.isPaused = true
                return (false, nil)
            }
            unsafe state.bytes.append(contentsOf: piece)
            return (true, state.receiver.take())
        }
        receiver?.resume()
        return taken
    }

    func finish() {
        let receiver = state.withLock { state in
            state.isFinished = true
            return state.receiver.take()
        }
        receiver?.resume()
    }

    /// Waits until there are bytes or the stream has ended.
    func waitForBytes() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                let isReady = state.isFinished || !state.bytes.isEmpty
                if !isReady { state.receiver = continuation }
                return isReady
            }
            if isReady { continuation.resume() }
        }
    }

    /// Takes all buffered bytes; `mustResume` is set if the transfer was paused.
    func take() -> (bytes: [UInt8], mustResume: Bool) {
        state.withLock { state in
            let taken = (state.bytes, state.isPaused)
            state.bytes = []
            state.isPaused = false
            return taken
        }
    }
}
