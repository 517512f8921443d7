import CLibCurl

/// The response being received, within its limits. Used on the curl thread.
struct IncomingResponse {
    /// The maximum size (in bytes) and number of header and trailer lines from a server, including
    /// interim responses and challenges, as libcurl keeps all of them.
    static let longestHead = 256 << 10
    static let mostHeadLines = 5000
    /// The maximum number of interim (1xx) responses to a request.
    static let maximumInterimResponses = 1000

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
    private var interimResponseCount = 0
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
        let startsResponse =
            unsafe line.count >= 5 && line[4] == UInt8(ascii: "/")
            && line.starts(with: "HTTP/".utf8)
        if hasHead, !startsResponse { return }
        if startsResponse { forget() }
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
            interimResponseCount += 1
            guard interimResponseCount <= Self.maximumInterimResponses else {
                throw .tooManyInterimResponses(transfer.place, limit: Self.maximumInterimResponses)
            }
            return
        }
        statusLine = line
        streams =
            transfer.stream != nil
            && transfer.request.redirection(line.status, HTTPHeaders(head: head)) == nil
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

/// The first line of a response.
struct StatusLine {
    let status: Int
    let reason: String

    /// Parses the first line of the bytes; `nil` if it is not a status line.
    init?(_ head: [UInt8]) {
        let end = head.firstIndex { $0 == 0x0A || $0 == 0x0D } ?? head.endIndex
        guard let space = head[..<end].firstIndex(of: 0x20), end - space >= 4,
            let status = Self.number(head[(space + 1)..<(space + 4)])
        else { return nil }
        let rest = head[(space + 4)..<end]
        guard rest.isEmpty || rest.first == 0x20 else { return nil }
        self.status = status
        reason = HTTPSyntax.text(rest.dropFirst())
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return number
    }
}

/// Decodes a response body piece by piece and detects whether it is complete.
///
/// libcurl's own decoding accepts truncated bodies. Used on the curl thread.
@safe final class ContentDecoder {
    /// The encodings the client accepts, in libcurl's order.
    static let acceptedEncodings = "deflate, gzip, br"

    /// What the consumer did with decoded bytes.
    enum Taken {
        case all
        /// Took nothing, as there is no room now.
        case later
        /// Wants no more bytes.
        case stop
    }

    /// Why a body cannot be decoded.
    enum Fault: Error {
        case unknownEncoding
        case corruptData
    }

    private let stage: any DecodingStage
    private let output: UnsafeMutableRawBufferPointer
    /// The number of decoded bytes waiting for room.
    private var held = 0
    /// The number of bytes already decoded from a piece that is repeated after a pause.
    private var decoded = 0

    /// Creates a decoder for a `Content-Encoding`, or returns `nil` if there is nothing to decode.
    ///
    /// - Throws: `unknownEncoding`, including for a combination of several encodings.
    init?(_ encoding: String) throws(Fault) {
        let names = encoding.lowercased().split { $0 == "," || $0.isWhitespace }
            .filter { $0 != "identity" && $0 != "chunked" }
        guard let name = names.first else { return nil }
        guard names.count == 1 else { throw .unknownEncoding }
        switch name {
        case "gzip", "x-gzip": stage = try Inflater(isGzip: true)
        case "deflate": stage = try Inflater(isGzip: false)
        case "br": stage = try BrotliDecoder()
        default: throw .unknownEncoding
        }
        unsafe output = .allocate(byteCount: 32 << 10, alignment: 1)
    }

    deinit {
        unsafe output.deallocate()
    }

    /// Whether the complete body has been decoded.
    var isFinished: Bool { stage.isFinished && held == 0 }

    /// Decodes a piece and passes on the result.
    ///
    /// After `later`, the same bytes must be passed again, but may be divided differently.
    func decode(
        _ piece: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) -> Taken
    ) throws(Fault) -> Taken {
        while true {
            if held > 0 {
                let taken = unsafe take(UnsafeRawBufferPointer(rebasing: output[..<held]))
                guard taken == .all else { return taken }
                held = 0
            }
            let rest = unsafe UnsafeRawBufferPointer(rebasing: piece[min(decoded, piece.count)...])
            let step = unsafe try stage.decode(rest, into: output)
            decoded += step.read
            held = step.written
            if held == 0, decoded >= piece.count || step.read == 0 {
                decoded -= min(decoded, piece.count)
                return .all
            }
        }
    }
}

/// A decoder for one encoding.
private protocol DecodingStage {
    /// Whether the end of the encoded data was reached.
    var isFinished: Bool { get }
    /// Decodes as much as fits; a result of 0 read and 0 written requests more input.
    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ContentDecoder.Fault) -> (read: Int, written: Int)
}

/// Decodes `gzip` with one or more members, and `deflate` with or without a zlib header.
@safe private final class Inflater: DecodingStage {
    private let stream: UnsafeMutablePointer<z_stream>
    private let isGzip: Bool
    private var isStarted = false
    private(set) var isFinished = false

    init(isGzip: Bool) throws(ContentDecoder.Fault) {
        self.isGzip = isGzip
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // Adding 32 detects gzip or zlib from the header.
        guard unsafe master_inflate_init(stream, MAX_WBITS + 32) == Z_OK else {
            unsafe stream.deallocate()
            throw .corruptData
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ContentDecoder.Fault) -> (read: Int, written: Int) {
        if isFinished {
            // Another member may follow; other trailing data is ignored.
            guard isGzip, unsafe input.first == 0x1F else { return (input.count, 0) }
            unsafe inflateReset(stream)
            isFinished = false
        }
        if !isStarted, let first = unsafe input.first {
            isStarted = true
            // A zlib header begins with the method, 8, and a small window size.
            if !isGzip, first & 0x8F != 0x08 { unsafe inflateReset2(stream, -MAX_WBITS) }
        }
        unsafe stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.bindMemory(to: UInt8.self).baseAddress)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.bindMemory(to: UInt8.self).baseAddress
        unsafe stream.pointee.avail_out = UInt32(output.count)
        let result = unsafe inflate(stream, Z_NO_FLUSH)
        switch result {
        case Z_STREAM_END: isFinished = true
        case Z_OK, Z_BUF_ERROR: break
        default: throw .corruptData
        }
        return unsafe (
            input.count - Int(stream.pointee.avail_in),
            output.count - Int(stream.pointee.avail_out)
        )
    }
}

@safe private final class BrotliDecoder: DecodingStage {
    private let state: OpaquePointer
    private(set) var isFinished = false

    init() throws(ContentDecoder.Fault) {
        guard let state = unsafe BrotliDecoderCreateInstance(nil, nil, nil) else {
            throw .corruptData
        }
        unsafe self.state = state
    }

    deinit {
        unsafe BrotliDecoderDestroyInstance(state)
    }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ContentDecoder.Fault) -> (read: Int, written: Int) {
        guard !isFinished else { return (input.count, 0) }
        var (left, room) = (input.count, output.count)
        var next = unsafe input.bindMemory(to: UInt8.self).baseAddress
        var free = unsafe output.bindMemory(to: UInt8.self).baseAddress
        let result = unsafe BrotliDecoderDecompressStream(state, &left, &next, &room, &free, nil)
        switch result {
        case BROTLI_DECODER_RESULT_ERROR: throw .corruptData
        case BROTLI_DECODER_RESULT_SUCCESS: isFinished = true
        default: break
        }
        return (input.count - left, output.count - room)
    }
}
