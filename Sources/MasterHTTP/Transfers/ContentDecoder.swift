import CLibCurl

/// Decodes the body of an answer piece by piece, and tells whether it came to its end.
///
/// libcurl could decode, too, but takes a body that is cut for a whole one. Used on the loop's thread.
@safe final class ContentDecoder {
    /// What the client asks for; the order is that of libcurl.
    static let acceptedEncodings = "deflate, gzip, br"

    /// What happened to decoded bytes.
    enum Taken {
        case all
        /// Nothing was taken: there is no room for it now.
        case later
        /// Nothing more is wanted.
        case stop
    }

    /// Why a body cannot be decoded.
    enum Fault: Error {
        case unknownEncoding
        case corruptData
    }

    private let stage: any DecodingStage
    private let output: UnsafeMutableRawBufferPointer
    /// How many decoded bytes wait for room.
    private var held = 0
    /// How many bytes of a piece, which comes again after a pause, are decoded already.
    private var decoded = 0

    /// Makes a decoder for a `Content-Encoding`; nil for one that changes nothing.
    ///
    /// - Throws: `unknownEncoding`, also for several at once.
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

    /// Whether all of the encoded body was decoded.
    var isFinished: Bool { stage.isFinished && held == 0 }

    /// Decodes a piece, and hands on what comes out.
    ///
    /// After `later` the same bytes have to come again, divided as may be.
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

/// One way of decoding.
private protocol DecodingStage {
    /// Whether the end of the encoded bytes was seen.
    var isFinished: Bool { get }
    /// Decodes what fits; nothing read and nothing written asks for more bytes.
    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(ContentDecoder.Fault) -> (read: Int, written: Int)
}

/// Decodes `gzip` of one or more members, and `deflate` with or without the frame of zlib.
@safe private final class Inflater: DecodingStage {
    private let stream: UnsafeMutablePointer<z_stream>
    private let isGzip: Bool
    private var isStarted = false
    private(set) var isFinished = false

    init(isGzip: Bool) throws(ContentDecoder.Fault) {
        self.isGzip = isGzip
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 32 more: gzip or zlib, as the first bytes say.
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
            // Another member begins, or what stands behind the end is ignored.
            guard isGzip, unsafe input.first == 0x1F else { return (input.count, 0) }
            unsafe inflateReset(stream)
            isFinished = false
        }
        if !isStarted, let first = unsafe input.first {
            isStarted = true
            // The frame of zlib begins with its method, 8, and a small window.
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

/// Decodes `br`.
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
