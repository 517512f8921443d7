internal import ArgumentParser
internal import Dispatch
internal import MasterKit

/// `lsp`: serves an editor over standard input and output.
struct LanguageServerCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "lsp",
            abstract: "Serves an editor with mistakes, completion and help, over standard input.",
            discussion: """
                A server of the Language Server Protocol. An editor starts it; it checks each open \
                master.yaml as '\(RootCommand.programName) check' does, while it is being written.
                """)
    }

    /// The pause in typing after which a changed document is checked.
    private static let pause: Int32 = 150

    private enum Input {
        case message(String)
        /// Nothing has been received for a while.
        case pause
        case end
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        var server = LanguageServer(
            registry: context.registry, environment: context.environment)
        // At most this many messages wait to be handled; beyond that, nothing is read.
        let room = DispatchSemaphore(value: 16)
        let (inputs, continuation) = AsyncStream.makeStream(of: Input.self)
        // Reading blocks its thread; it ends with the input or the process.
        DispatchQueue(label: "lsp").async {
            var framing = MessageFraming()
            var isPaused = true
            while true {
                if !StandardStream.waitForInput(milliseconds: isPaused ? -1 : Self.pause) {
                    isPaused = true
                    room.wait()
                    continuation.yield(.pause)
                    continue
                }
                let bytes = StandardStream.readInput()
                guard !bytes.isEmpty else { break }
                framing.append(bytes)
                isPaused = false
                while let message = framing.next() {
                    room.wait()
                    continuation.yield(.message(message))
                }
            }
            continuation.yield(.end)
            continuation.finish()
        }
        for await input in inputs {
            defer { room.signal() }
            let answers: [JSONValue]
            switch input {
            case .message(let text): answers = server.handle(text)
            case .pause: answers = server.checkChanged()
            case .end:
                server.disconnect()
                answers = []
            }
            for answer in answers {
                let fault = StandardStream.output.write(MessageFraming.framed(answer))
                if fault != nil { server.disconnect() }
            }
            if let status = server.exitStatus { return status }
        }
        return .failure
    }
}

/// Finds the messages in a stream of bytes: each after a header with its length.
struct MessageFraming {
    /// The largest message that is read; a larger one is skipped.
    private static let maximumLength = 64 << 20
    private static let maximumHeader = 8 << 10

    private var bytes: [UInt8] = []
    private var start = 0
    /// The length of the message whose header has been read.
    private var length: Int?
    /// The rest of a message that is too large.
    private var skipped = 0

    mutating func append(_ more: [UInt8]) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes += more
    }

    /// The next whole message, or `nil` until more has arrived.
    mutating func next() -> String? {
        while true {
            let count = min(skipped, bytes.count - start)
            start += count
            skipped -= count
            guard skipped == 0 else { return nil }
            guard let length else {
                guard readHeader() else { return nil }
                continue
            }
            guard bytes.count - start >= length else { return nil }
            defer {
                start += length
                self.length = nil
            }
            return String(decoding: bytes[start..<(start + length)], as: UTF8.self)
        }
    }

    /// Reads a header up to the empty line after it; one without a length is passed over.
    private mutating func readHeader() -> Bool {
        let separator = Array("\r\n\r\n".utf8)
        let rest = bytes[start...].prefix(Self.maximumHeader)
        guard let end = rest.firstRange(of: separator) else {
            // Not a header at all; only the end of it can still become a separator.
            if rest.count == Self.maximumHeader { start += rest.count - separator.count }
            return false
        }
        let header = String(decoding: bytes[start..<end.lowerBound], as: UTF8.self)
        start = end.upperBound
        for line in header.split(separator: "\r\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length",
                let count = Int(parts[1].filter { $0 != " " }), count >= 0
            else { continue }
            if count > Self.maximumLength { skipped = count } else { length = count }
        }
        return true
    }

    /// A message with its header.
    static func framed(_ message: JSONValue) -> [UInt8] {
        let body = JSONWriter.compact.bytes(message)
        return Array("Content-Length: \(body.count)\r\n\r\n".utf8) + body
    }
}
