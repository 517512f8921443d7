import CLibCurl

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
